#include "quantize/decide.h"

#include <gtest/gtest.h>

#include <vector>

namespace twofold {
namespace {

// The shares of values that a search tries.
std::vector<double> percentiles(const ActivationConfig& activation) {
  OperandPlan operand;
  operand.granted = QType::kInt8;
  operand.activation = activation;
  std::vector<double> shares;
  for (const RangeChoice& choice : range_choices(operand)) {
    if (choice.options.method == RangeMethod::kPercentile) shares.push_back(choice.options.percentile);
  }
  return shares;
}

TEST(RangeChoices, ASearchTriesTheSharesThatTheConfigNames) {
  const ActivationConfig silent{.num_bin = {1024}, .max_num_bin = {16384}, .max_percentile = {1.0}};
  EXPECT_EQ(percentiles(silent), (std::vector{0.9999, 0.99999}));
  ActivationConfig named = silent;
  named.max_percentile = {0.995, 1.0};
  EXPECT_EQ(percentiles(named), (std::vector{0.995, 1.0}));
}

}  // namespace
}  // namespace twofold
