// Errors along a model and along a list of units.
#include "debug/error_curves.h"

#include <gtest/gtest.h>

#include "debug/only.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

constexpr const char* kConfig = "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}";
constexpr int64_t kSamples = 3;

std::set<size_t> operands_of(const Plan& plan, const std::set<std::string>& nodes) {
  std::set<size_t> operands;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (is_integer(operand.granted) && nodes.contains(operand.node)) operands.insert(i);
  }
  return operands;
}

TEST(ErrorsAlong, BeginWithTheFirstQuantizedNode) {
  OpenedNetwork opened(kConfig, kSamples);
  const auto errors = errors_along(opened.model, opened.plan, operands_of(opened.plan, {"conv3"}), *opened.data, {});
  std::map<std::string, double> mse;
  for (const TensorComparison& tensor : errors) {
    EXPECT_TRUE(mse.emplace(tensor.node, tensor.metrics.mean(Metric::kMse)).second) << tensor.node;
    EXPECT_EQ(tensor.metrics.num_samples(), static_cast<uint64_t>(kSamples));
  }
  for (const char* node : {"conv1", "conv2", "add"}) EXPECT_EQ(mse.at(node), 0) << node;
  for (const char* node : {"conv3", "rows", "product", "softmax", "gemm"}) EXPECT_GT(mse.at(node), 0) << node;
}

TEST(ErrorsAlong, AreNoneWhereNothingIsQuantized) {
  OpenedNetwork opened(kConfig, kSamples);
  for (const TensorComparison& tensor : errors_along(opened.model, opened.plan, {}, *opened.data, {})) {
    EXPECT_EQ(tensor.metrics.mean(Metric::kMse), 0) << tensor.tensor;
  }
}

TEST(Only, LeavesTheseOperands) {
  const OpenedNetwork opened(kConfig, kSamples);
  const std::set<size_t> kept = operands_of(opened.plan, {"conv2"});
  const Plan plan = only(opened.plan, kept);
  ASSERT_EQ(plan.operands().size(), opened.plan.operands().size());
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    if (kept.contains(i)) {
      EXPECT_EQ(plan.operands()[i], opened.plan.operands()[i]);
    } else {
      EXPECT_EQ(plan.operands()[i].granted, QType::kFloat32);
    }
  }
}

TEST(ErrorsGrowing, EndWithAllUnits) {
  OpenedNetwork opened(kConfig, kSamples);
  const std::vector<Unit> units = units_of(opened.model.graph(), opened.plan, UnitKind::kNode);
  ASSERT_GT(units.size(), 4U);
  const Growth all = errors_growing(opened.model, opened.plan, units, 100, {.threads = 1});
  ASSERT_EQ(all.counts.size(), units.size());
  ASSERT_EQ(all.errors.size(), units.size());
  for (size_t i = 0; i < units.size(); ++i) EXPECT_EQ(all.counts[i], i + 1);
  // The first alone, and the whole model.
  EXPECT_EQ(all.errors[0], measure_sensitivity(opened.model, opened.plan, {units[0]}, {.threads = 1})[0]);
  EXPECT_EQ(all.errors.back().mean(0, Metric::kMse), opened.model.evaluate(opened.plan).mean(Metric::kMse));
  const Growth few = errors_growing(opened.model, opened.plan, units, 3, {.threads = 1});
  const size_t n = units.size();
  EXPECT_EQ(few.counts, (std::vector<size_t>{n / 3, 2 * n / 3, n}));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(few.errors[i], all.errors[few.counts[i] - 1]);
  EXPECT_TRUE(errors_growing(opened.model, opened.plan, {}, 3, {}).counts.empty());
}

}  // namespace
}  // namespace twofold
