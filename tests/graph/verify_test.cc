// The rules that every graph obeys, one graph that breaks it for each.
#include <gtest/gtest.h>

#include <memory>

#include "base/message_of.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

std::string refusal(const Graph& graph) {
  return message_of([&] { verify(graph); });
}

// x -> relu -> y, with `then` done to it.
template <typename Change>
std::string refusal_after(const Change& change) {
  GraphBuilder b;
  b.output(b.node("relu", "Relu", {b.input("x", {1})}));
  EXPECT_NO_THROW(verify(b.graph));
  change(b.graph);
  return refusal(b.graph);
}

// If with a body that reads one capture.
Graph with_body(Graph body, int captures) {
  body.num_captures = captures;
  GraphBuilder b;
  const ValueId condition = b.input("condition", {}, DType::kBool), x = b.input("x", {1});
  const auto shared = std::make_shared<const Graph>(std::move(body));
  b.output(b.node("if", "If", {condition, x}, {{"then_branch", shared}, {"else_branch", shared}}));
  return b.graph;
}

Graph negating_body() {
  GraphBuilder body;
  body.output(body.node("neg", "Neg", {body.input("captured", {1})}));
  return body.graph;
}

TEST(VerifyGraph, AcceptsGraphsAsTheyAre) {
  EXPECT_EQ(refusal(Graph{}), "nothing thrown");
  // Outputs may be inputs and constants; optional inputs and outputs may be left out.
  GraphBuilder b;
  const ValueId x = b.input("x", {1});
  b.output(x);
  b.output(b.scalar(1));
  b.graph.add_node({"n", "Clip", "", {x, kNone, x}, {kNone, b.graph.add_value("y")}, {}});
  EXPECT_EQ(refusal(b.graph), "nothing thrown");
  EXPECT_EQ(refusal(with_body(negating_body(), 1)), "nothing thrown");
}

TEST(VerifyGraph, RefusesATensorThatNothingComputes) {
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.set_input(0, 0, graph.add_value("t")); }),
            "node 'relu' reads tensor 't', which nothing computes");
}

TEST(VerifyGraph, RefusesNodesThatWriteInputsAndConstants) {
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.inputs.push_back(graph.find_value("relu")); }),
            "node 'relu' writes 'relu', which is an input or a constant");
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.set_constant(graph.find_value("relu"), Tensor::scalar(1.0F)); }),
            "node 'relu' writes 'relu', which is an input or a constant");
}

TEST(VerifyGraph, RefusesInputsThatAreNoneOrTwo) {
  for (const ValueId value : {kNone, 99}) {
    EXPECT_EQ(refusal_after([value](Graph& graph) { graph.inputs.push_back(value); }),
              "the graph has an input that is no tensor");
  }
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.inputs.push_back(graph.inputs[0]); }),
            "tensor 'x' is an input twice");
}

TEST(VerifyGraph, RefusesCycles) {
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.set_input(0, 0, graph.find_value("relu")); }),
            "node 'relu' is on a cycle or reads from one");
}

TEST(VerifyGraph, RefusesOutputsThatNothingComputes) {
  for (const ValueId value : {kNone, -7, 99}) {
    EXPECT_EQ(refusal_after([value](Graph& graph) {
                graph.outputs.push_back({"second", value});
              }),
              "nothing computes output 'second'");
  }
  EXPECT_EQ(refusal_after([](Graph& graph) {
              graph.outputs.push_back({"second", graph.add_value("t")});
            }),
            "nothing computes output 'second'");
  EXPECT_EQ(refusal_after([](Graph& graph) { graph.remove_node(0); }), "nothing computes output 'relu'");
}

TEST(VerifyGraph, RefusesTwoOutputsOfOneName) {
  EXPECT_EQ(refusal_after([](Graph& graph) {
              graph.outputs.push_back({"relu", graph.find_value("x")});
            }),
            "two outputs are named 'relu'");
}

TEST(VerifyGraph, RefusesBodiesThatCaptureMoreThanThereIs) {
  // Two of the body's one input; three of the node's two.
  EXPECT_EQ(refusal(with_body(negating_body(), 2)),
            "body 'else_branch' of node 'if' captures more tensors than the node passes");
  Graph body = negating_body();
  body.inputs.push_back(body.add_value("second"));
  body.inputs.push_back(body.add_value("third"));
  EXPECT_EQ(refusal(with_body(body, 3)), "body 'else_branch' of node 'if' captures more tensors than the node passes");
  EXPECT_EQ(refusal(with_body(body, 2)), "nothing thrown");
}

TEST(VerifyGraph, LooksIntoBodies) {
  Graph body = negating_body();
  body.set_input(0, 0, body.add_value("t"));
  EXPECT_EQ(refusal(with_body(body, 1)), "node 'neg' reads tensor 't', which nothing computes");
  // And into the bodies of their nodes.
  Graph nested = with_body(body, 1);
  EXPECT_EQ(refusal(with_body(nested, 0)), "node 'neg' reads tensor 't', which nothing computes");
}

}  // namespace
}  // namespace twofold
