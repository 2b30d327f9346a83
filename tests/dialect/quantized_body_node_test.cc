#include "dialect/quantized_body_node.h"

#include <gtest/gtest.h>

#include "dialect/malformed.h"
#include "engine/executor.h"

namespace twofold {
namespace {

using testing::message_of;

// x -> op_type -> y.
std::shared_ptr<const Graph> body(const std::string& op_type) {
  Graph graph;
  const ValueId x = graph.add_value("x"), y = graph.add_value("y");
  graph.inputs = {x};
  graph.outputs = {{"y", y}};
  graph.add_node({.name = "inner", .op_type = op_type, .inputs = {x}, .outputs = {y}});
  return std::make_shared<const Graph>(std::move(graph));
}

Node node_of(const std::string& op_type) {
  Node node{.name = "n", .outputs = {1}};
  QuantizedBodyNode{op_type, {0}, body(op_type)}.write(node);
  return node;
}

std::string message_of_executor(Node node) {
  Graph graph;
  graph.inputs = {graph.add_value("x")};
  graph.outputs = {{"y", graph.add_value("y")}};
  graph.add_node(std::move(node));
  return message_of([&] { const Executor executor(graph, {.threads = 1}); });
}

TEST(QuantizedBodyNode, IsReadAsItWasWritten) {
  const Node node = node_of("Relu");
  EXPECT_TRUE(node.is("Relu", "twofold.quantized"));
  EXPECT_TRUE(QuantizedBodyNode::is(node));
  const QuantizedBodyNode read = QuantizedBodyNode::read(node);
  EXPECT_EQ(read.op_type, "Relu");
  EXPECT_EQ(read.inputs, std::vector<ValueId>{0});
  EXPECT_EQ(read.body->find_node("inner"), 0);
}

TEST(QuantizedBodyNode, RefusesWhatIsMissingOrDoesNotFit) {
  const auto read = [](const Node& node) { QuantizedBodyNode::read(node); };
  testing::expect_refused(node_of("Relu"),
                          {{"attribute 'body' is missing", [](Node& node) { node.attributes.erase("body"); }},
                           {"the node has 2 inputs, but must have 1", [](Node& node) { node.inputs.push_back(0); }},
                           {"input 0 is required but missing", [](Node& node) { node.inputs[0] = kNone; }},
                           {"the node has 0 outputs, but must have 1", [](Node& node) { node.outputs.clear(); }}},
                          read);
  testing::expect_every_attribute_checked(node_of("Relu"), read);
}

TEST(QuantizedBodyNode, AnExecutorNamesWhatIsWrongInside) {
  EXPECT_EQ(message_of_executor(node_of("Relu")), "nothing thrown");
  EXPECT_NE(message_of_executor(node_of("NoSuchOperator")).find("does not support: NoSuchOperator"), std::string::npos);
}

}  // namespace
}  // namespace twofold
