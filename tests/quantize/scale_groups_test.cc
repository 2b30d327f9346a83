#include "quantize/scale_groups.h"

#include <gtest/gtest.h>

#include "plan/test_graph.h"

namespace twofold {
namespace {

// A plan in which every input of these nodes is an integer that moves.
Plan plan_of(const Graph& graph, const std::vector<std::string>& nodes) {
  Plan plan;
  for (const std::string& name : nodes) {
    const Node& node = graph.node(graph.find_node(name));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      OperandPlan operand;
      operand.node = name;
      operand.op_type = node.op_type;
      operand.operand = OperandRef::input(static_cast<int>(i));
      operand.value = graph.value(node.inputs[i]).name;
      operand.moves_data = true;
      operand.granted = QType::kInt8;
      plan.add(std::move(operand));
    }
  }
  return plan;
}

// Names of the values that set the scale of a value.
std::vector<std::string> observed(const Graph& graph, const ScaleGroups& groups, const std::string& name) {
  std::vector<std::string> names;
  for (const ValueId id : groups.observed(graph.find_value(name))) names.push_back(graph.value(id).name);
  return names;
}

using Names = std::vector<std::string>;

TEST(ScaleGroups, AConcatSharesTheScaleOfItsOutput) {
  GraphMaker maker;
  maker.input("x").input("y").node("Concat", "concat", {"x", "y"}, {"z"}).output("z");
  const ScaleGroups groups(maker.graph, plan_of(maker.graph, {"concat"}));
  EXPECT_EQ(observed(maker.graph, groups, "x"), Names{"z"});
  EXPECT_EQ(observed(maker.graph, groups, "y"), Names{"z"});
}

TEST(ScaleGroups, PartsShareTheScaleOfTheWhole) {
  GraphMaker maker;
  maker.input("x").node("Split", "split", {"x"}, {"a", "b"}).output("a").output("b");
  const ScaleGroups groups(maker.graph, plan_of(maker.graph, {"split"}));
  EXPECT_EQ(observed(maker.graph, groups, "a"), Names{"x"});
  EXPECT_EQ(observed(maker.graph, groups, "b"), Names{"x"});
}

TEST(ScaleGroups, IndicesOfAMaxPoolHaveNoScale) {
  GraphMaker maker;
  maker.input("x").node("MaxPool", "pool", {"x"}, {"y", "indices"}).output("y").output("indices");
  const ScaleGroups groups(maker.graph, plan_of(maker.graph, {"pool"}));
  EXPECT_EQ(observed(maker.graph, groups, "x"), Names{"y"});
  EXPECT_EQ(observed(maker.graph, groups, "indices"), Names{"indices"}) << "a group of their own";
}

TEST(ScaleGroups, AClampSharesItsScaleUnlessItsInputIsReadElsewhere) {
  GraphMaker maker;
  maker.input("x").node("Relu", "relu", {"x"}, {"y"}).output("y");
  const ScaleGroups alone(maker.graph, plan_of(maker.graph, {"relu"}));
  EXPECT_EQ(observed(maker.graph, alone, "x"), Names{"y"});
  maker.node("Abs", "abs", {"x"}, {"z"}).output("z");
  const ScaleGroups shared(maker.graph, plan_of(maker.graph, {"relu"}));
  EXPECT_EQ(observed(maker.graph, shared, "x"), Names{"x"});
  EXPECT_EQ(observed(maker.graph, shared, "y"), Names{"y"});
}

}  // namespace
}  // namespace twofold
