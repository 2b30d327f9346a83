#include "traits/signature.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "traits/op_examples.h"

namespace twofold {
namespace {

using testing::message_of;

// A graph with two float inputs 0 and 1, an int64 constant 2 and a value 3 that some node computes.
Graph four_values() {
  Graph graph;
  for (const char* name : {"x", "y"}) graph.inputs.push_back(graph.add_value(name, {DType::kFloat32, std::nullopt}));
  graph.add_constant("c", Tensor::scalar(int64_t{1}));
  graph.add_value("t", {DType::kBool, std::nullopt});
  return graph;
}

std::string refused(const char* pattern, std::vector<ValueId> inputs, size_t captured = 0) {
  const Node node{"n", "Op", "", std::move(inputs), {9}, {}, {}};
  return message_of([&] {
    check_operands(node, {pattern, 1, 1}, captured);
    if (captured == 0) check_types(four_values(), node, {pattern, 1, 1});
  });
}

constexpr char kNothing[] = "nothing thrown";

TEST(Signature, RequiredInputsAreThere) {
  EXPECT_EQ(refused("fff?", {0, 1}), kNothing);
  EXPECT_EQ(refused("fff?", {0, 1, kNone}), kNothing);
  EXPECT_EQ(refused("fff?", {0, 1, 0}), kNothing);
  EXPECT_EQ(refused("fff?", {0}), "node 'n' (Op): input 1 is absent, but the operator needs it");
  EXPECT_EQ(refused("fff?", {}), "node 'n' (Op): input 0 is absent, but the operator needs it");
  EXPECT_EQ(refused("fff?", {kNone, 1}), "node 'n' (Op): input 0 is absent, but the operator needs it");
  EXPECT_EQ(refused("fff?", {0, 1, 0, 1}), "node 'n' (Op): there are 4 inputs, but the operator has 3 at most");
  EXPECT_EQ(refused("f?f", {kNone, 1}), kNothing);
  EXPECT_EQ(refused("f?f", {0}), "node 'n' (Op): input 1 is absent, but the operator needs it");
  EXPECT_EQ(refused("", {}), kNothing);
  EXPECT_EQ(refused("", {0}), "node 'n' (Op): there are 1 inputs, but the operator has 0 at most");
}

TEST(Signature, InputsThatRepeat) {
  EXPECT_EQ(refused("f+", {0, 1, 0}), kNothing);
  EXPECT_EQ(refused("f+", {}), "node 'n' (Op): input 0 is absent, but the operator needs it");
  EXPECT_EQ(refused("f+", {0, kNone}), "node 'n' (Op): input 1 is absent, but the operator needs it");
  EXPECT_EQ(refused("l?b?a*", {}), kNothing);
  EXPECT_EQ(refused("l?b?a*", {kNone, kNone, 0, 1}), kNothing);
  EXPECT_EQ(refused("l?b?a*", {kNone, kNone, 0, kNone}), "node 'n' (Op): input 3 is absent, but the operator needs it");
  EXPECT_EQ(refused("fa~", {0, kNone, 1}), kNothing);
}

TEST(Signature, TypesOfConstantsAndInputs) {
  EXPECT_EQ(refused("fl", {0, 2}), kNothing);
  EXPECT_EQ(refused("ff", {0, 2}), "node 'n' (Op): input 1 ('c') is int64, but the operator takes floats there");
  EXPECT_EQ(refused("l", {0}), "node 'n' (Op): input 0 ('x') is float32, but the operator takes int64 there");
  EXPECT_EQ(refused("b", {2}), "node 'n' (Op): input 0 ('c') is int64, but the operator takes bool there");
  EXPECT_EQ(refused("q", {2}),
            "node 'n' (Op): input 0 ('c') is int64, but the operator takes integers of 8, 16 or 32 bits there");
  EXPECT_EQ(refused("i", {2}), kNothing);
  EXPECT_EQ(refused("n", {2}), kNothing);
  EXPECT_EQ(refused("n", {3}), kNothing) << "what a file declares of computed tensors is no certainty";
}

TEST(Signature, WhatBodiesCaptureIsNoneOfTheOperatorsInputs) {
  EXPECT_EQ(refused("f", {0, 1}, 1), kNothing);
  EXPECT_EQ(refused("f", {0, 1}), "node 'n' (Op): there are 2 inputs, but the operator has 1 at most");
}

TEST(Signature, Outputs) {
  const auto refused = [](std::vector<ValueId> outputs, int least, int most) {
    const Node node{"n", "Op", "", {0}, std::move(outputs), {}, {}};
    return message_of([&] { check_operands(node, {"f", least, most}); });
  };
  EXPECT_EQ(refused({9}, 1, 1), kNothing);
  EXPECT_EQ(refused({}, 0, 2), kNothing);
  EXPECT_EQ(refused({}, 1, 2), "node 'n' (Op): output 0 has no name");
  EXPECT_EQ(refused({9, kNone}, 2, 2), "node 'n' (Op): output 1 has no name");
  EXPECT_EQ(refused({9, 10}, 1, 1), "node 'n' (Op): there are 2 outputs, but the operator has 1 at most");
}

// Every row against an example that runs: with its inputs, and with each of those that must be there left out.
TEST(Signature, RowsFitTheExamples) {
  for (const testing::OpExample& example : testing::op_examples()) {
    Graph graph;
    Node node{"n", example.op_type, "", {}, {}, {}, {}};
    for (const Tensor& input : example.inputs) {
      const std::string name = graph.unique_value_name("c");
      node.inputs.push_back(input.defined() ? graph.add_constant(name, input) : kNone);
    }
    for (int i = 0; i < example.num_outputs; ++i) node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
    const Signature signature = signature_of(*find_traits(example.op_type));
    EXPECT_EQ(message_of([&] { check_operands(node, signature); }), kNothing) << example.op_type;
    EXPECT_EQ(message_of([&] { check_types(graph, node, signature); }), kNothing) << example.op_type;
    if (signature.inputs.empty() || signature.inputs.substr(1).starts_with('?')) continue;
    node.inputs[0] = kNone;
    EXPECT_NE(message_of([&] { check_operands(node, signature); }), kNothing) << example.op_type;
  }
}

}  // namespace
}  // namespace twofold
