#include "quantize/adjust_weights.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "passes/graph_builder.h"
#include "plan/config.h"
#include "plan/resolve.h"
#include "plan/target.h"
#include "quantize/bias_shifts.h"
#include "quantize/decide.h"

namespace twofold {
namespace {

// x [1,16] -> four Gemms with Relus between them.
Graph chain() {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.02F, 0.3F);
  GraphBuilder builder;
  ValueId value = builder.input("x", {1, 16});
  for (int i = 0; i < 4; ++i) {
    std::vector<float> weight(16 * 16);
    for (float& w : weight) w = normal(random);
    const std::string name = "gemm" + std::to_string(i);
    value = builder.node(name, "Gemm", {value, builder.floats({16, 16}, weight), builder.ramp({16})});
    value = builder.node(name + "_relu", "Relu", {value});
  }
  builder.output(value);
  return builder.graph;
}

std::unique_ptr<Dataset> samples(const Graph& graph) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal;
  std::vector<std::map<std::string, Tensor>> samples(5);
  for (auto& sample : samples) {
    std::vector<float> values(16);
    for (float& v : values) v = normal(random);
    sample["x"] = Tensor::from<float>({1, 16}, std::span<const float>(values));
  }
  return make_dataset(samples_in_memory(std::move(samples)), input_specs(graph));
}

Plan decided_plan(const Graph& graph, const std::string& config) {
  Plan plan = resolve(graph, parse_config(config, "config"), load_target("cpu"));
  decide_constants(graph, plan);
  return plan;
}

std::vector<Rounding> roundings(const Plan& plan) {
  std::vector<Rounding> chosen;
  for (const OperandPlan& operand : plan.operands()) {
    if (operand.is_weight) chosen.push_back(operand.weight.rounding.at(0));
  }
  return chosen;
}

// Weights of 1 KiB each: all in one batch, one or two trials a batch.
constexpr size_t kBatches[] = {kTrialBytes, 1, 2100};

TEST(ChooseRounding, DoesNotDependOnHowManyWeightsAreOnTrialAtOnce) {
  const Graph graph = chain();
  const auto data = samples(graph);
  std::vector<Rounding> expected;
  for (const size_t bytes : kBatches) {
    Plan plan = decided_plan(graph, "{}");
    CalibratedModel model(graph, data.get(), {.threads = 1, .search_samples = 5});
    choose_rounding(model, plan, bytes);
    if (expected.empty()) expected = roundings(plan);
    EXPECT_EQ(roundings(plan).size(), 4U);
    EXPECT_EQ(roundings(plan), expected) << bytes;
  }
}

TEST(ChooseRounding, DecidesAListOf16BitsToo) {
  const Graph graph = chain();
  const auto data = samples(graph);
  Plan plan =
      decided_plan(graph, "{op_config: {Gemm: {qtype: dual-int16, weight: {rounding: [preserve_sum, nearest]}}}}");
  CalibratedModel model(graph, data.get(), {.threads = 1, .search_samples = 5});
  choose_rounding(model, plan, kTrialBytes);
  int weights = 0;
  for (const OperandPlan& operand : plan.operands()) {
    if (!operand.is_weight || operand.granted != QType::kInt16) continue;
    EXPECT_EQ(operand.weight.rounding.size(), 1U) << operand.node;
    ++weights;
  }
  EXPECT_EQ(weights, 4);
}

TEST(CorrectBiases, DoesNotDependOnHowManyWeightsAreOnTrialAtOnce) {
  const auto data = samples(chain());
  std::vector<std::vector<float>> expected;
  for (const size_t bytes : kBatches) {
    CalibratedModel model(chain(), data.get(), {.threads = 1});
    Plan plan = decided_plan(
        model.graph(), "model_config: {weight: {rounding: nearest, bias_correction: {num_sample: 5, metric: mse}}}");
    EXPECT_GT(correct_biases(model, plan, bytes), 0);
    Graph graph = model.graph();
    shift_biases(plan, graph);
    std::vector<std::vector<float>> biases;
    for (int i = 0; i < 4; ++i) {
      const Node& node = graph.node(graph.find_node("gemm" + std::to_string(i)));
      const std::span<const float> bias = graph.constant(node.input(2))->data<float>();
      biases.emplace_back(bias.begin(), bias.end());
    }
    if (expected.empty()) expected = biases;
    EXPECT_EQ(biases, expected) << bytes;
  }
}

}  // namespace
}  // namespace twofold
