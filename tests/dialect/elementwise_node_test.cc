#include "dialect/elementwise_node.h"

#include <gtest/gtest.h>

#include "dialect/malformed.h"
#include "dialect/stored_outputs.h"

namespace twofold {
namespace {

constexpr auto kRead = [](const Node& node) { ElementwiseNode::read(node); };

// (x - y) / z, where y is int8 and z float32.
ElementwiseNode elementwise() {
  return {.first = 3,
          .operands = {1, 5},
          .source = stored_form(DType::kUInt16, 0.5F, 77),
          .program = {.steps = {BinaryStep{BinaryOp::kSub, false, 0, 0}, BinaryStep{BinaryOp::kDiv, false, 1, 0}},
                      .operands = {stored_form(DType::kInt8, 0.25F, -7), StoredForm{}},
                      .outputs = {stored_form(DType::kInt16, 2, 5)}}};
}

Node node_of(const ElementwiseNode& elementwise) {
  Node node{.name = "n", .outputs = {8}};
  elementwise.write(node);
  return node;
}

TEST(ElementwiseNode, IsReadAsItWasWritten) {
  const Node node = node_of(elementwise());
  EXPECT_TRUE(node.is("Elementwise", "twofold"));
  EXPECT_TRUE(ElementwiseNode::is(node));
  EXPECT_EQ(node.inputs, (std::vector<ValueId>{3, 1, 5}));
  const ElementwiseNode read = ElementwiseNode::read(node);
  EXPECT_EQ(read.first, 3);
  EXPECT_EQ(read.operands, (std::vector<ValueId>{1, 5}));
  EXPECT_EQ(read.source.dtype, DType::kUInt16);
  EXPECT_EQ(read.source.scale, 0.5F);
  EXPECT_EQ(read.source.zero_point, 77);
  ASSERT_EQ(read.program.steps.size(), 2);
  EXPECT_EQ(std::get<BinaryStep>(read.program.steps[1]).op, BinaryOp::kDiv);
  EXPECT_EQ(std::get<BinaryStep>(read.program.steps[1]).operand, 1);
  ASSERT_EQ(read.program.operands.size(), 2);
  EXPECT_EQ(read.program.operands[0].zero_point, -7);
  EXPECT_EQ(read.program.operands[1].dtype, DType::kFloat32);
  ASSERT_EQ(read.program.outputs.size(), 1);
  EXPECT_EQ(read.program.outputs[0].high, 32767);
}

TEST(ElementwiseNode, ItsOutputsCanBeNarrowed) {
  Node node = node_of(elementwise());
  std::vector<StoredForm> forms = stored_outputs(node);
  ASSERT_EQ(forms.size(), 1);
  forms[0].low = -5;
  set_stored_outputs(node, forms);
  EXPECT_EQ(ElementwiseNode::read(node).program.outputs[0].low, -5);
}

TEST(ElementwiseNode, RefusesWhatIsMissingOrDoesNotFit) {
  testing::expect_refused(node_of(elementwise()),
                          {{"a program begins with one form",
                            [](Node& node) {
                              for (const char* name : {"dtypes", "scales", "zero_points", "lows", "highs"}) {
                                node.attributes.erase(std::string("source_") + name);
                              }
                            }},
                           {"the node has no program", [](Node& node) { FloatProgram::erase(node.attributes); }},
                           {"the node has 2 inputs, but must have 3", [](Node& node) { node.inputs.pop_back(); }},
                           {"input 2 is required but missing", [](Node& node) { node.inputs[2] = kNone; }},
                           {"the node has 0 outputs, but must have 1", [](Node& node) { node.outputs.clear(); }},
                           {"the node has 4 inputs; at most 3 broadcast",
                            [](Node& node) {
                              ElementwiseNode more = elementwise();
                              more.operands.push_back(6);
                              more.program.operands.push_back(StoredForm{});
                              more.write(node);
                            }}},
                          kRead);
  testing::expect_every_attribute_checked(node_of(elementwise()), kRead);
}

}  // namespace
}  // namespace twofold
