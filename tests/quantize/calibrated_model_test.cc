// One calibrated model serves many plans, and a plan alone makes its model again.
#include "quantize/calibrated_model.h"

#include <gtest/gtest.h>

#include "onnx/export.h"
#include "plan/fingerprint.h"
#include "plan/plan_json.h"
#include "quantize/carry_over.h"
#include "quantize/check_plan.h"
#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

const char* const kConfigs[] = {
    "{}",
    "model_config: {all_node_type: int16}",
    "{op_config: {Conv: {qtype: int16-ec}, MatMul: {qtype: dual-int16}, Gemm: {input1: ec}}}",
    "model_config: {weight: {bias_correction: {num_sample: 3, metric: mse}}, activation: {asymmetric: true}}",
};

// Everything that a file of the graph holds, as text.
std::string described(const Graph& graph) {
  std::string text;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    text += node.op_type + " " + node.name + ":";
    for (ValueId input : node.inputs) {
      text += " " + (input == kNone ? std::string("-") : graph.value(input).name);
      if (const Tensor* constant = graph.constant(input)) {
        text.append(reinterpret_cast<const char*>(constant->bytes()), constant->byte_size());
      }
    }
    text += "\n";
  }
  return text;
}

TEST(CalibratedModel, ServesManyPlansWithOneCalibration) {
  const Graph graph = small_network(4);
  const auto data = random_samples(graph, 4, 5);
  CalibratedModel shared(graph, data.get(), {.threads = 1});
  for (const char* config : kConfigs) {
    CalibratedModel fresh(graph, data.get(), {.threads = 1});
    EXPECT_EQ(decided_plan(shared, config), decided_plan(fresh, config)) << config;
  }
  EXPECT_EQ(shared.counters().calibrations, 1);
  EXPECT_EQ(shared.samples().float_runs(), 4);
}

TEST(CalibratedModel, CalibratesAgainOnlyWhatAPlanMisses) {
  const Graph graph = small_network(4);
  const auto data = random_samples(graph, 4, 5);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  model.calibrate(plan_of(graph, "model_config: {activation: {calibration_type: max}}"));
  model.calibrate(plan_of(graph, "model_config: {activation: {calibration_type: max}}"));
  EXPECT_EQ(model.counters().calibrations, 1);
  model.calibrate(plan_of(graph, "model_config: {activation: {calibration_type: kl}}"));  // histograms
  EXPECT_EQ(model.counters().calibrations, 2);
}

TEST(CalibratedModel, MakesTheSameGraphFromAPlanFileWithoutData) {
  const Graph graph = small_network(6);
  const auto data = random_samples(graph, 4, 7);
  for (const char* config : kConfigs) {
    CalibratedModel model(graph, data.get(), {.threads = 1});
    const Plan plan = decided_plan(model, config);
    const Plan read = plan_from_json(plan_to_json(plan), "plan");
    EXPECT_EQ(read, plan);
    check_same_model(read, graph);
    check_plan(read, graph);
    CalibratedModel without_data(graph, nullptr, {.threads = 1});
    EXPECT_EQ(described(without_data.apply(read)), described(model.apply(plan))) << config;
    EXPECT_EQ(without_data.counters().calibrations, 0);
  }
}

TEST(CalibratedModel, EvaluatesWhatItApplies) {
  const Graph graph = small_network(6);
  const auto data = random_samples(graph, 4, 7);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  const Plan plan = decided_plan(model, kConfigs[3]);
  MetricMeans expected;
  const auto outputs = run_whole(model.apply(plan), *data, 4);
  for (size_t i = 0; i < outputs.size(); ++i) model.samples().add_errors(i, outputs[i], expected);
  const MetricMeans means = model.evaluate(plan);
  for (Metric metric : kAllMetrics) EXPECT_EQ(means.mean(metric), expected.mean(metric));
}

TEST(CalibratedModel, KeepsNoMoreSamplesThanItMay) {
  const Graph graph = small_network(6);
  const auto data = random_samples(graph, 4, 7);
  CalibratedModel model(graph, data.get(), {.threads = 1, .memory_cap = 600});  // one sample's input: 576 bytes
  const Plan plan = decided_plan(model, "{}");
  CalibratedModel roomy(graph, data.get(), {.threads = 1});
  EXPECT_EQ(plan, decided_plan(roomy, "{}"));
  EXPECT_GT(model.samples().float_runs(), roomy.samples().float_runs());
}

// The network with another weight of conv2, a Relu gone, and one node more.
Graph changed_network() {
  Graph graph = small_network(6);
  Tensor weight = *graph.constant(graph.node(graph.find_node("conv2")).input(1));
  for (float& w : weight.mutable_data<float>()) w *= 2;
  graph.set_constant(graph.node(graph.find_node("conv2")).input(1), weight);
  const NodeId gemm = graph.find_node("gemm");
  const ValueId y = graph.node(gemm).output(0), before = graph.add_value("before");
  graph.set_output(gemm, 0, before);
  graph.add_node({"tanh", "Tanh", "", {before}, {y}, {}, {}});
  return graph;
}

TEST(CarryOver, KeepsWhatFitsAndSaysWhatDoesNot) {
  const Graph graph = small_network(6);
  const auto data = random_samples(graph, 4, 7);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  const Plan plan = decided_plan(model, kConfigs[3]);
  const Graph other = changed_network();
  EXPECT_THROW(check_same_model(plan, other), Error);

  const Plan carried = carry_over(plan, other);
  check_same_model(carried, other);
  check_plan(carried, other);
  for (const OperandPlan& operand : plan.operands()) {
    const OperandPlan* now = carried.find(operand.node, operand.operand);
    ASSERT_NE(now, nullptr) << operand.node;
    if (operand.node == "conv2" && operand.operand == OperandRef::input(1)) {
      // Twice the weights, twice the scales; the correction is that of other weights.
      for (size_t c = 0; c < operand.params->scale.size(); ++c) {
        EXPECT_EQ(now->params->scale[c], 2 * operand.params->scale[c]);
      }
      EXPECT_EQ(now->weight, operand.weight);
      EXPECT_TRUE(now->bias_shift.empty());
    } else if (operand.node != "gemm" || operand.operand != OperandRef::output(0)) {
      EXPECT_EQ(*now, operand) << operand.node;
    }
  }
  std::string notes;
  for (const std::string& note : carried.notes) notes += note + "\n";
  EXPECT_NE(notes.find("node 'conv2' (Conv) has other weights or attributes than in the plan: scales of its constants "
                       "are computed again"),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("node 'tanh' (Tanh) of the model is not in the plan: it stays float32"), std::string::npos)
      << notes;
  CalibratedModel retrained(other, nullptr, {.threads = 1});
  EXPECT_NO_THROW(retrained.apply(carried));

  Plan undecided = plan;
  undecided.find("add", OperandRef::input(0))->params.reset();
  EXPECT_THROW(carry_over(undecided, other), Error);
}

TEST(CheckPlan, NamesWhatDoesNotFit) {
  const Graph graph = small_network(6);
  const auto data = random_samples(graph, 4, 7);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  const Plan good = decided_plan(model, "{}");
  const auto expect_refused = [&](const auto& damage, const std::string& message) {
    Plan plan = good;
    damage(*plan.find("conv1", OperandRef::input(1)));
    try {
      check_plan(plan, graph);
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("node 'conv1' (Conv) input1: " + message), std::string::npos)
          << error.what();
    }
  };
  expect_refused([](OperandPlan& operand) { operand.params.reset(); }, "it is int8, but has no scale");
  expect_refused([](OperandPlan& operand) { operand.params->zero_point.assign(8, 1); },
                 "only activations in int8 or int16 have a zero point");
  expect_refused([](OperandPlan& operand) { operand.params->scale.pop_back(); },
                 "it has 7 scales, but axis 0 of 'c' has 8 indices");
  expect_refused([](OperandPlan& operand) { operand.value = "x"; },
                 "it is tensor 'x' in the plan and 'c' in the model");
  expect_refused([](OperandPlan& operand) { operand.bias_shift = {1, 2}; }, "bias_shift has 2 numbers");
  expect_refused(
      [](OperandPlan& operand) {
        operand.weight.rounding.clear();
        operand.weight.rounding = {Rounding::kNearest, Rounding::kPreserveSum};
      },
      "its rounding is not decided");
}

}  // namespace
}  // namespace twofold
