// Weights of 7 bits.
#include <gtest/gtest.h>

#include "quantize/opened_network.h"
#include "quantize/weights.h"

namespace twofold {
namespace {

int largest(const Graph& graph, const OperandPlan& weight) {
  const Tensor& floats = *graph.constant(graph.find_value(weight.value));
  const Tensor integers = quantize_weight(floats, *weight.params, weight.weight.rounding.front());
  int result = 0;
  for (const int8_t q : integers.data<int8_t>()) result = std::max(result, std::abs(static_cast<int>(q)));
  return result;
}

TEST(ReduceRange, KeepsPairsOfProductsWithinSixteenBits) {
  for (const char* rounding : {"nearest", "preserve_sum"}) {
    const OpenedNetwork plain(fmt::format("model_config: {{weight: {{rounding: {}}}}}", rounding), 2);
    const OpenedNetwork reduced(fmt::format("model_config: {{weight: {{rounding: {}, reduce_range: true}}}}", rounding),
                                2);
    int weights = 0;
    for (const OperandPlan& operand : reduced.plan.operands()) {
      if (!operand.is_weight) continue;
      ++weights;
      const OperandPlan& before = *plain.plan.find(operand.node, operand.operand);
      EXPECT_EQ(largest(plain.model.graph(), before), 127);
      EXPECT_GE(largest(reduced.model.graph(), operand), 63);
      EXPECT_LE(largest(reduced.model.graph(), operand), 64);
      EXPECT_EQ(operand.threshold, before.threshold);
    }
    EXPECT_GT(weights, 1);
  }
}

TEST(ReduceRange, ConcernsWeightsOfEightBitsAlone) {
  const char* const config =
      "{{model_config: {{weight: {{reduce_range: {}}}}},"
      " op_config: {{Conv: {{qtype: dual-int16}}, Gemm: {{qtype: int16-ec}}, MatMul: {{qtype: dual-int16}}}}}}";
  const OpenedNetwork without(fmt::format(fmt::runtime(config), false), 2);
  const OpenedNetwork with(fmt::format(fmt::runtime(config), true), 2);
  for (const OperandPlan& operand : with.plan.operands()) {
    EXPECT_TRUE(operand.params == without.plan.find(operand.node, operand.operand)->params) << operand.node;
  }
}

TEST(ReduceRange, TheNearestLevelWins) {
  const OpenedNetwork opened(
      "{model_config: {weight: {reduce_range: true, rounding: nearest}},"
      " op_config: {Conv: {weight: {reduce_range: false}}}}",
      2);
  for (const OperandPlan& operand : opened.plan.operands()) {
    if (!operand.is_weight) continue;
    EXPECT_EQ(largest(opened.model.graph(), operand), operand.op_type == "Conv" ? 127 : 63) << operand.node;
  }
}

}  // namespace
}  // namespace twofold
