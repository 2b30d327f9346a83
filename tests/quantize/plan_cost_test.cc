#include "quantize/plan_cost.h"

#include <gtest/gtest.h>

#include "ops/run_op.h"
#include "passes/graph_builder.h"
#include "plan/target.h"
#include "quantize/small_network.h"

namespace twofold {
namespace {

// Products cost 1, 2 or 4; all else 1 at integers and 8 in float.
const char* const kTarget = R"(
name: priced
operators:
  - ops: [Conv, MatMul, Gemm]
    combinations:
      - {inputs: [int8, int8], cost: 1}
      - {inputs: [int16, int8], cost: 2}
      - {each_input: [int8, int16, float32], cost: 4}
  - ops: "*"
    default: quantized
    combinations:
      - {each_input: [int8, int16], cost: 1}
      - {each_input: [int8, int16, float32], cost: 8}
)";

struct Priced {
  explicit Priced(const std::string& config)
      : graph(small_network(1)), data(random_samples(graph, 1, 2)), model(graph, data.get(), {.threads = 1}) {
    const Target target = parse_target(kTarget, "target");
    cost = plan_cost(model, resolve(graph, parse_config(config, "config"), target), target);
  }
  const NodeCost& of(const std::string& node) const { return *std::ranges::find(cost.nodes, node, &NodeCost::node); }

  Graph graph;
  std::unique_ptr<Dataset> data;
  CalibratedModel model;
  PlanCost cost;
};

TEST(PlanCost, CountsMultiplyAccumulatesAtTheTargetsPrices) {
  const Priced priced("{node_config: {conv1: {qtype: int16}, conv3: {qtype: dual-int16}}}");
  EXPECT_EQ(priced.of("conv1").work, 8.0 * 36 * 4 * 9);  // outputs, input channels, taps
  EXPECT_EQ(priced.of("conv1").cost, 2 * priced.of("conv1").work);
  EXPECT_EQ(priced.of("conv2").cost, 8.0 * 36 * 8);
  EXPECT_EQ(priced.of("conv3").work, 4.0 * 36 * 16 * 9);
  EXPECT_EQ(priced.of("conv3").cost, 4 * priced.of("conv3").work);
  EXPECT_EQ(priced.of("product").work, 4.0 * 4 * 36);
  EXPECT_EQ(priced.of("gemm").work, 4.0 * 5 * 4);
  EXPECT_EQ(priced.of("add").cost, 8.0 * 36);  // elements
}

TEST(PlanCost, CountsAConversionForEveryFormButOne) {
  const Priced all_int8("{}");
  // The input comes as float32 and is read as int8; inside, every tensor is read in one form. The output is float32,
  // which the last product writes by itself.
  EXPECT_EQ(all_int8.cost.of_inputs, 4.0 * 36);
  for (const NodeCost& node : all_int8.cost.nodes) EXPECT_EQ(node.conversions, 0) << node.node;
  // relu1 [8,6,6] is read by conv2 and by add: at two precisions now.
  const Priced mixed("{node_config: {conv2: {qtype: int16}}}");
  EXPECT_EQ(mixed.of("relu1").conversions, 8.0 * 36);
  // A float node reads int8 and writes float: what it reads is converted once, and so is what it writes.
  const Priced with_float("{node_config: {softmax: {qtype: float32}}}");
  EXPECT_EQ(with_float.of("product").conversions, 0);  // the product writes float32 instead
  EXPECT_EQ(with_float.of("softmax").conversions, 16);
  EXPECT_EQ(with_float.of("softmax").cost, 8.0 * 16);
  double sum = with_float.cost.of_inputs;
  for (const NodeCost& node : with_float.cost.nodes) sum += node.cost + node.conversions;
  EXPECT_EQ(with_float.cost.total(), sum);
}

// x [6,2,5] -> LSTM of 3 units, both ways -> y
Graph lstm_graph() {
  GraphBuilder b;
  b.output(b.node("lstm", "LSTM", {b.input("x", {6, 2, 5}), b.ramp({2, 12, 5}), b.ramp({2, 12, 3})},
                  {{"hidden_size", int64_t{3}}, {"direction", std::string("bidirectional")}}));
  return b.graph;
}

TEST(PlanCost, ProductsWithAStateCountAsFloat) {
  const Graph graph = lstm_graph();
  std::vector<std::map<std::string, Tensor>> samples(1);
  samples[0]["x"] = testing::random_tensor({6, 2, 5}, 1);
  const auto data = make_dataset(samples_in_memory(std::move(samples)), input_specs(graph));
  CalibratedModel model(graph, data.get(), {.threads = 1});
  const Target target = load_target("cpu");
  const auto cost = [&](const std::string& config) {
    return plan_cost(model, resolve(graph, parse_config(config, "config"), target), target);
  };
  constexpr double kInput = 6.0 * 2 * 24 * 5, kSteps = 6.0 * 2 * 24 * 3;
  const PlanCost as_int8 = cost("");
  EXPECT_EQ(as_int8.nodes[0].work, kInput + kSteps);
  EXPECT_EQ(as_int8.nodes[0].cost, kInput + 3 * kSteps);
  EXPECT_EQ(as_int8.of_inputs, 6.0 * 2 * 5);
  EXPECT_EQ(cost("op_config: {LSTM: {qtype: dual-int16}}").nodes[0].cost, 2.7 * kInput + 3 * kSteps);
  EXPECT_EQ(cost("op_config: {LSTM: {qtype: float32}}").nodes[0].cost, 3 * (kInput + kSteps));
}

}  // namespace
}  // namespace twofold
