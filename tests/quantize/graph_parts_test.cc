// Where a graph can be cut, and that a changed part gives the bits of the whole graph changed so.
#include "quantize/graph_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>
#include <set>

#include "debug/grouping.h"
#include "debug/sensitivity.h"
#include "passes/pipeline.h"
#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

using Keys = std::vector<std::optional<ContentHash>>;

// All values are kept but those named.
GraphParts parts_of(const Graph& graph, const std::set<std::string>& hidden = {}) {
  Keys keys;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const bool is_hidden = hidden.contains(graph.value(id).name);
    keys.push_back(is_hidden ? std::nullopt : std::optional(ContentHash{7, static_cast<uint64_t>(id)}));
  }
  return {graph, std::move(keys)};
}

// What is left of a graph behind the latest cut that keeps `node`: "inputs: operators"; empty where that is all of it.
std::string part_from(const Graph& graph, const GraphParts& parts, const std::string& node) {
  const std::optional<GraphParts::Part> part = parts.from(graph.find_node(node));
  if (!part) return "";
  EXPECT_NO_THROW(verify(part->graph));
  EXPECT_EQ(part->inputs.size(), part->graph.inputs.size());
  EXPECT_EQ(part->graph.node(graph.find_node(node) - part->first).name, node);
  std::string text;
  for (size_t i = 0; i < part->inputs.size(); ++i) {
    const Value& input = part->graph.value(part->graph.inputs[i]);
    EXPECT_EQ(part->inputs[i].low, static_cast<uint64_t>(graph.find_value(input.name)));
    text += input.name + " ";
  }
  return text + ": " + ops(part->graph);
}

// x -> a -> b -> add(a, b) -> c, all of shape [dim,4].
Graph diamond(int64_t dim) {
  GraphBuilder b;
  const ValueId x = b.input("x", {dim, 4});
  const ValueId a = b.node("a", "Relu", {x});
  const ValueId s = b.node("b", "Sigmoid", {a});
  const ValueId add = b.node("add", "Add", {a, s});
  b.output(b.node("c", "Tanh", {add}));
  return b.graph;
}

TEST(GraphParts, BeginAtTheNodeOnTheValuesThatItAndLaterOnesRead) {
  const Graph graph = diamond(1);
  const GraphParts parts = parts_of(graph);
  EXPECT_EQ(part_from(graph, parts, "a"), "");
  EXPECT_EQ(part_from(graph, parts, "b"), "a : Sigmoid Add Tanh");
  EXPECT_EQ(part_from(graph, parts, "add"), "a b : Add Tanh");
  EXPECT_EQ(part_from(graph, parts, "c"), "add : Tanh");
}

TEST(GraphParts, BeginEarlierWhereAValueIsNotKept) {
  const Graph graph = diamond(1);
  EXPECT_EQ(part_from(graph, parts_of(graph, {"add"}), "c"), "a b : Add Tanh");
  EXPECT_EQ(part_from(graph, parts_of(graph, {"add", "b"}), "c"), "a : Sigmoid Add Tanh");
  EXPECT_EQ(part_from(graph, parts_of(graph, {"add", "b", "a"}), "c"), "");
}

TEST(GraphParts, BeginAtOneValueOfUnknownShape) {
  const Graph graph = diamond(-1);
  const GraphParts parts = parts_of(graph);
  EXPECT_EQ(part_from(graph, parts, "add"), "a : Sigmoid Add Tanh");  // a and b are known to have the same shape
  EXPECT_EQ(part_from(graph, parts, "c"), "add : Tanh");
}

TEST(GraphParts, TakeAlongIntegers) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 4});
  const ValueId a = b.node("a", "Relu", {x});
  const ValueId shape = b.node("shape", "Shape", {a});
  const ValueId moved = b.node("moved", "Transpose", {a});
  const ValueId back = b.node("back", "Reshape", {moved, shape});
  b.output(b.node("c", "Tanh", {back}));
  const GraphParts parts = parts_of(b.graph);
  EXPECT_EQ(part_from(b.graph, parts, "back"), "a : Shape Transpose Reshape Tanh");
  EXPECT_EQ(part_from(b.graph, parts, "c"), "back : Tanh");
}

TEST(GraphParts, BeginBeforeWhatMayBeWrappedWithAQuantizeLinear) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 4});
  const ValueId a = b.node("a", "Relu", {x});
  const ValueId s = b.node("s", "Softmax", {a}, {{"axis", int64_t{-1}}});
  const ValueId t = b.node("t", "Tanh", {s});
  const ValueId product = b.node("product", "MatMul", {t, b.ramp({4, 4})});
  b.output(b.node("last", "Tanh", {product}));
  const GraphParts parts = parts_of(b.graph);
  const QParams int8{QType::kInt8, -1, {0.1F}, {0}};
  const auto part_of = [&](const char* node, OperandRef operand) {
    return parts.of({{b.graph.find_node(node), operand, int8}});
  };
  EXPECT_FALSE(part_of("product", OperandRef::input(0)));  // Relu, Softmax, Tanh, QuantizeLinear
  EXPECT_EQ(ops(part_of("product", OperandRef::input(1))->graph), "MatMul Tanh");
  EXPECT_EQ(ops(part_of("last", OperandRef::input(0))->graph), "Tanh");  // products are not wrapped
  EXPECT_EQ(ops(part_of("product", OperandRef::output(0))->graph), "MatMul Tanh");
}

TEST(GraphParts, HaveAllOutputs) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 4});
  const ValueId a = b.node("a", "Relu", {x});
  b.output(a);
  b.output(b.node("b", "Sigmoid", {a}));
  b.output(b.node("c", "Tanh", {x}));
  const GraphParts parts = parts_of(b.graph);
  const std::optional<GraphParts::Part> part = parts.from(2);
  ASSERT_TRUE(part);
  ASSERT_EQ(part->graph.outputs.size(), 3U);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(part->graph.outputs[i].name, b.graph.outputs[i].name);
}

// Thirty operators on values drawn at random, so that fused ones, residual additions and long branches lie across each
// other in every order.
Graph random_network(unsigned seed, bool is_open) {
  std::mt19937 random(seed);
  GraphBuilder b;
  const auto weight = [&](const Shape& shape, float spread) {
    return b.floats(shape, random_floats(random, static_cast<size_t>(num_elements(shape)), spread));
  };
  const std::pair<std::string, Attribute> pads{"pads", std::vector<int64_t>{1, 1, 1, 1}};
  const std::pair<std::string, Attribute> turned{"perm", std::vector<int64_t>{0, 1, 3, 2}};
  std::vector<ValueId> values = {b.input("x", is_open ? Shape{-1, 4, -1, -1} : Shape{1, 4, 6, 6})};
  // Late ones more often.
  const auto any = [&] {
    const size_t back = random() % 3 != 0 ? random() % std::min<size_t>(values.size(), 3) : random() % values.size();
    return values[values.size() - 1 - back];
  };
  for (int i = 0; i < 30; ++i) {
    const std::string name = "n" + std::to_string(i);
    switch (random() % 16) {
      case 0:
      case 1:
        values.push_back(b.node(name, "Conv", {any(), weight({4, 4, 3, 3}, 0.2F), weight({4}, 0.1F)}, {pads}));
        break;
      case 2: values.push_back(b.node(name, "Conv", {any(), weight({4, 4, 1, 1}, 0.5F), weight({4}, 0.1F)})); break;
      case 3: values.push_back(b.node(name, "Relu", {any()})); break;
      case 4: values.push_back(b.node(name, "HardSwish", {any()})); break;
      case 5: values.push_back(b.node(name, "Sigmoid", {any()})); break;
      case 6: values.push_back(b.node(name, "Mul", {any(), b.scalar(0.7F)})); break;
      case 7:
        values.push_back(b.node(name, "MaxPool", {any()}, {pads, {"kernel_shape", std::vector<int64_t>{3, 3}}}));
        break;
      case 8: {
        const ValueId right = b.node(name + "_turned", "Transpose", {any()}, {turned});
        const ValueId product = b.node(name + "_product", "MatMul", {any(), right});
        values.push_back(b.node(name, "Mul", {product, b.scalar(0.2F)}));
        break;
      }
      case 9: values.push_back(b.node(name, "Softmax", {any()}, {{"axis", int64_t{-1}}})); break;
      case 10: {
        const ValueId norm = b.node(name + "_norm", "LayerNormalization", {any(), weight({6}, 1), weight({6}, 0.1F)});
        values.push_back(norm);
        break;
      }
      case 11: {
        const ValueId scaled = any();
        const ValueId mean = b.node(name + "_mean", "GlobalAveragePool", {scaled});
        const ValueId gate = b.node(name + "_gate", "HardSigmoid", {mean});
        values.push_back(b.node(name, "Mul", {scaled, gate}));
        break;
      }
      case 12: {
        const ValueId both = b.node(name + "_both", "Concat", {any(), any()}, {{"axis", int64_t{1}}});
        values.push_back(b.node(name, "Conv", {both, weight({4, 8, 1, 1}, 0.4F), weight({4}, 0.1F)}));
        break;
      }
      default: values.push_back(b.node(name, "Add", {any(), any()}));
    }
  }
  b.output(values.back());
  b.output(values[values.size() / 2]);
  return b.graph;
}

// The errors of the whole graph with these operands, made without any trial.
Sensitivity measure_whole(CalibratedModel& model, const Dataset& data,
                          const std::vector<OperandQuantization>& operands) {
  Graph whole = model.graph();
  apply_quantization(whole, operands, model.weights());
  const auto outputs = run_whole(whole, data, static_cast<int64_t>(model.samples().size()));
  std::vector<std::vector<ErrorSums>> errors;
  for (size_t s = 0; s < outputs.size(); ++s) errors.push_back(model.samples().errors(s, outputs[s]));
  return sensitivity_of(errors);
}

const char* const kConfigs[] = {
    "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}",
    "model_config: {all_node_type: int16, activation: {calibration_type: max}, weight: {rounding: nearest}}",
    "{model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}, op_config: {Conv: {qtype: "
    "int16-ec}, MatMul: {qtype: dual-int16}}}",
};

TEST(GraphParts, GiveTheBitsOfTheWholeGraph) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Graph network = random_network(seed, seed % 2 == 1);
    run_passes(network);
    const std::unique_ptr<Dataset> data = random_samples(network, 2, seed + 1);
    CalibratedModel model(network, data.get(), {.threads = 1});
    const Plan plan = decided_plan(model, kConfigs[seed % 3]);
    std::vector<Unit> units = group_units(network, plan, parse_grouping("op_type"));
    for (const UnitKind kind : {UnitKind::kNode, UnitKind::kWeight, UnitKind::kActivation}) {
      std::ranges::copy(units_of(network, plan, kind), std::back_inserter(units));
    }
    const std::vector<Sensitivity> found = measure_sensitivity(model, plan, units, {.threads = 1});
    for (size_t i = 0; i < units.size(); ++i) {
      std::vector<OperandQuantization> operands;
      for (const size_t position : units[i].operands) {
        operands.push_back(decided_operand(network, plan.operands()[position]));
      }
      const Sensitivity expected = measure_whole(model, *data, operands);
      for (const Metric metric : kAllMetrics) {
        for (size_t output = 0; output < network.outputs.size(); ++output) {
          const double a = found[i].mean(output, metric), b = expected.mean(output, metric);
          EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)))
              << "seed " << seed << ", " << units[i].name << ", " << to_string(metric) << ": " << a << ", " << b;
        }
      }
    }
  }
}

}  // namespace
}  // namespace twofold
