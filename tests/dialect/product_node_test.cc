#include "dialect/product_node.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dialect/malformed.h"
#include "dialect/stored_outputs.h"
#include "engine/executor.h"

namespace twofold {
namespace {

using testing::expect_every_attribute_checked;
using testing::expect_refused;
using testing::message_of;

constexpr auto kRead = [](const Node& node) { ProductNode::read(node); };

FloatProgram program() {
  return {.steps = {BinaryStep{BinaryOp::kAdd, true, 0, 0}, UnaryStep{UnaryOp::kLeakyRelu, {0.1F, 2, 3}},
                    BinaryStep{BinaryOp::kMul, false, -1, 0.5F}},
          .operands = {stored_form(DType::kInt16, 0.25F, -7)},
          .outputs = {{DType::kUInt8, 0.5F, 3, 3, 200}, StoredForm{}}};
}

// A product that requantizes its accumulators to two forms.
ProductNode direct() {
  return {.op_type = "IntegerConv",
          .a = 4,
          .b = 7,
          .bias = 5,
          .a_dtype = DType::kUInt8,
          .a_scale = 0.125F,
          .a_zero_point = 128,
          .b_zero_point = -3,
          .b_scale = {0.5F, 0.25F},
          .ec = {false, true},
          .outputs = {{DType::kInt8, 0.75F, -3, -3, 100}, {.dtype = DType::kFloat64}}};
}

// One that begins a program with an operand.
ProductNode with_program() {
  ProductNode product = direct();
  product.op_type = "IntegerGemm";
  product.bias = kNone;
  product.ec = {true, false};
  product.operands = {9};
  product.outputs = {StoredForm{}};
  product.program = program();
  return product;
}

// The node, with the two outputs that either of the products has.
Node node_of(const ProductNode& product) {
  Node node{.name = "n", .outputs = {10, 11}};
  product.write(node);
  return node;
}

void expect_form(const StoredForm& form, const StoredForm& expected) {
  EXPECT_EQ(form.dtype, expected.dtype);
  EXPECT_EQ(form.scale, expected.scale);
  EXPECT_EQ(form.zero_point, expected.zero_point);
  EXPECT_EQ(form.low, expected.low);
  EXPECT_EQ(form.high, expected.high);
}

TEST(ProductNode, IsReadAsItWasWritten) {
  const Node node = node_of(direct());
  EXPECT_TRUE(node.is("IntegerConv", "twofold"));
  EXPECT_TRUE(ProductNode::is(node));
  EXPECT_EQ(node.inputs, (std::vector<ValueId>{4, 7, 5}));
  const ProductNode read = ProductNode::read(node);
  EXPECT_EQ(read.op_type, "IntegerConv");
  EXPECT_EQ(read.a, 4);
  EXPECT_EQ(read.b, 7);
  EXPECT_EQ(read.bias, 5);
  EXPECT_TRUE(read.operands.empty());
  EXPECT_EQ(read.a_dtype, DType::kUInt8);
  EXPECT_EQ(read.a_scale, 0.125F);
  EXPECT_EQ(read.a_zero_point, 128);
  EXPECT_EQ(read.b_zero_point, -3);
  EXPECT_EQ(read.b_scale, (std::vector<float>{0.5F, 0.25F}));
  EXPECT_FALSE(read.ec.a);
  EXPECT_TRUE(read.ec.b);
  EXPECT_EQ(ec_passes(node), 2);
  EXPECT_FALSE(read.program);
  ASSERT_EQ(read.outputs.size(), 2);
  expect_form(read.outputs[0], {DType::kInt8, 0.75F, -3, -3, 100});
  expect_form(read.outputs[1], {.dtype = DType::kFloat64});
}

TEST(ProductNode, ItsProgramToo) {
  const Node node = node_of(with_program());
  EXPECT_EQ(node.inputs, (std::vector<ValueId>{4, 7, kNone, 9}));
  const ProductNode read = ProductNode::read(node);
  EXPECT_EQ(read.bias, kNone);
  EXPECT_EQ(read.operands, std::vector<ValueId>{9});
  EXPECT_TRUE(read.ec.a);
  ASSERT_TRUE(read.program);
  ASSERT_EQ(read.program->steps.size(), 3);
  const auto& add = std::get<BinaryStep>(read.program->steps[0]);
  EXPECT_EQ(add.op, BinaryOp::kAdd);
  EXPECT_TRUE(add.reversed);
  EXPECT_EQ(add.operand, 0);
  const auto& relu = std::get<UnaryStep>(read.program->steps[1]);
  EXPECT_EQ(relu.op, UnaryOp::kLeakyRelu);
  EXPECT_EQ(relu.params.alpha, 0.1F);
  EXPECT_EQ(relu.params.beta, 2);
  EXPECT_EQ(relu.params.gamma, 3);
  const auto& mul = std::get<BinaryStep>(read.program->steps[2]);
  EXPECT_EQ(mul.op, BinaryOp::kMul);
  EXPECT_FALSE(mul.reversed);
  EXPECT_EQ(mul.operand, -1);
  EXPECT_EQ(mul.value, 0.5F);
  ASSERT_EQ(read.program->operands.size(), 1);
  expect_form(read.program->operands[0], {DType::kInt16, 0.25F, -7, -32768, 32767});
  ASSERT_EQ(read.program->outputs.size(), 2);
  expect_form(read.program->outputs[0], {DType::kUInt8, 0.5F, 3, 3, 200});
  expect_form(read.program->outputs[1], StoredForm{});
}

TEST(ProductNode, WritingOneOverAnotherLeavesTheFloatOperatorsAttributesAlone) {
  Node node = node_of(with_program());
  node.attributes.set("strides", std::vector<int64_t>{2, 2});
  direct().write(node);
  EXPECT_EQ(node.attributes.get_ints("strides", {}), (std::vector<int64_t>{2, 2}));
  const ProductNode read = ProductNode::read(node);
  EXPECT_FALSE(read.program);
  EXPECT_TRUE(read.operands.empty());
  EXPECT_FALSE(read.ec.a);
}

TEST(ProductNode, HandsOnTheMarkOfTheFloatOperator) {
  Node conv{.name = "n", .op_type = "Conv"};
  EXPECT_EQ(EcOperands::read(conv.attributes).passes(), 1);
  mark_ec(conv.attributes, 0);
  EXPECT_EQ(EcOperands::read(conv.attributes).passes(), 2);
  mark_ec(conv.attributes, 1);
  EXPECT_EQ(EcOperands::read(conv.attributes).passes(), 4);
  EXPECT_EQ(ec_passes(conv), 1);  // it does not run in passes itself
}

TEST(ProductNode, StoredOutputsAreThoseBehindTheProgram) {
  Node node = node_of(direct());
  std::vector<StoredForm> forms = stored_outputs(node);
  ASSERT_EQ(forms.size(), 2);
  expect_form(forms[0], direct().outputs[0]);
  node = node_of(with_program());
  forms = stored_outputs(node);
  ASSERT_EQ(forms.size(), 2);
  expect_form(forms[0], program().outputs[0]);
  forms[0].high = 77;
  set_stored_outputs(node, forms);
  EXPECT_EQ(stored_outputs(node)[0].high, 77);
  expect_form(ProductNode::read(node).outputs[0], StoredForm{});
  EXPECT_TRUE(stored_outputs({.name = "r", .op_type = "Relu"}).empty());
}

TEST(ProductNode, RefusesWhatIsMissingOrDoesNotFit) {
  expect_refused(
      node_of(direct()),
      {{"attribute 'a_dtype' is missing", [](Node& node) { node.attributes.erase("a_dtype"); }},
       {"attribute 'a_scale' is missing", [](Node& node) { node.attributes.erase("a_scale"); }},
       {"attribute 'a_zero_point' is missing", [](Node& node) { node.attributes.erase("a_zero_point"); }},
       {"attribute 'b_scale' is missing", [](Node& node) { node.attributes.erase("b_scale"); }},
       {"attribute 'b_zero_point' is missing", [](Node& node) { node.attributes.erase("b_zero_point"); }},
       {"'a_dtype' is not an 8- or 16-bit", [](Node& node) { node.attributes.set("a_dtype", int64_t{1} << 40); }},
       {"'a_scale' has the value 0, which is no scale", [](Node& node) { node.attributes.set("a_scale", 0.0F); }},
       {"'b_scale' has the value inf, which is no scale",
        [](Node& node) {
          node.attributes.set("b_scale", std::vector<float>{1, INFINITY});
        }},
       {"'b_scale' is empty", [](Node& node) { node.attributes.set("b_scale", std::vector<float>{}); }},
       {"'b_zero_point' has the value 65536, which is no zero point",
        [](Node& node) { node.attributes.set("b_zero_point", int64_t{65536}); }},
       {"the product has no form",
        [](Node& node) {
          for (const char* name : {"y_dtypes", "y_scales", "y_zero_points", "y_lows", "y_highs"}) {
            node.attributes.erase(name);
          }
        }},
       {"'y_scales' has 2 entries, but must have 0", [](Node& node) { node.attributes.erase("y_dtypes"); }},
       {"'y_highs' has 0 entries, but must have 2", [](Node& node) { node.attributes.erase("y_highs"); }},
       {"'y_dtypes' does not fit",
        [](Node& node) {
          node.attributes.set("y_dtypes", std::vector<int64_t>{-1, 1});
        }},
       {"'y_lows' does not fit",
        [](Node& node) {
          node.attributes.set("y_lows", std::vector<int64_t>{101, 0});
        }},
       {"the node has 1 inputs, but must have 2 to 3", [](Node& node) { node.inputs.resize(1); }},
       {"input 1 is required but missing", [](Node& node) { node.inputs[1] = kNone; }},
       {"the node has 1 outputs, but must have 2", [](Node& node) { node.outputs.resize(1); }}},
      kRead);
  expect_every_attribute_checked(node_of(direct()), kRead);
}

TEST(ProductNode, RefusesAProgramThatDoesNotFit) {
  expect_refused(
      node_of(with_program()),
      {{"the program has no output",
        [](Node& node) {
          for (const char* name : {"dtypes", "scales", "zero_points", "lows", "highs"}) {
            node.attributes.erase(std::string("output_") + name);
          }
        }},
       {"'step_numbers' has 0 entries, but must have 9", [](Node& node) { node.attributes.erase("step_numbers"); }},
       {"'step_ops' has the value 999, which is no operator",
        [](Node& node) {
          node.attributes.set("step_ops", std::vector<int64_t>{999, 0, 0});
        }},
       {"a step reads operand 1 of 1",
        [](Node& node) {
          node.attributes.set("step_operands", std::vector<int64_t>{1, -1, -1});
        }},
       {"'operand_dtypes' does not fit",
        [](Node& node) {
          node.attributes.set("operand_dtypes", std::vector<int64_t>{static_cast<int64_t>(DType::kFloat64)});
        }},
       {"the node has 3 inputs, but must have 4", [](Node& node) { node.inputs.resize(3); }},
       {"input 3 is required but missing", [](Node& node) { node.inputs[3] = kNone; }},
       {"a program begins with one form",
        [](Node& node) {
          node.attributes.set("y_dtypes", std::vector<int64_t>{static_cast<int64_t>(DType::kFloat64)});
        }}},
      kRead);
  expect_every_attribute_checked(node_of(with_program()), kRead);
}

// As a program would meet it that builds such a graph by hand: files are refused as a whole.
TEST(ProductNode, AnExecutorNamesTheNode) {
  Graph graph;
  Node node{.name = "n", .op_type = "IntegerConv", .domain = "twofold"};
  node.inputs = {graph.add_value("x"), graph.add_value("w")};
  node.outputs = {graph.add_value("y")};
  graph.inputs = node.inputs;
  graph.outputs = {{"y", node.outputs[0]}};
  const NodeId id = graph.add_node(std::move(node));
  const auto run = [&] { return message_of([&] { const Executor executor(graph, {.threads = 1}); }); };
  EXPECT_EQ(run(), "node 'n' (IntegerConv): attribute 'a_dtype' is missing");
  for (const char* type : {"IntegerConvTranspose", "IntegerMatMul", "IntegerGemm"}) {
    graph.set_op_type(id, type, "twofold");
    EXPECT_NE(run().find("attribute 'a_dtype' is missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofold
