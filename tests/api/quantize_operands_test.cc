// Integers that somebody else has found, in a file.
#include "twofold/quantize_operands.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "plan/plan_json.h"
#include "twofold/session.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

// x [1,2] -> product (w [2,2], bias [2]) -> y [1,2].
std::string product_model() {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 2});
  b.output(b.node("product", "Gemm", {x, b.floats({2, 2}, {1.0F, -0.4F, 0.26F, 0.8F}), b.floats({2}, {0.1F, -0.2F})}));
  return export_onnx_bytes(b.graph);
}

std::span<const std::byte> bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::vector<float> run(const std::string& model, const std::vector<float>& x) {
  const Session session(bytes(model), {});
  const std::vector<Tensor> y = session.run({Tensor::from<float>({1, 2}, std::span<const float>(x))});
  const std::span<const float> values = y[0].data<float>();
  return {values.begin(), values.end()};
}

std::string quantized(const std::vector<OperandIntegers>& operands) {
  return quantize_operands(bytes(product_model()), operands);
}

// x = 0.5 (3, -5); w = 0.01 (100, -40; 26, 80); bias 0.1 and -0.2 are 20 and -40 steps of 0.005:
// (3 x 100 - 5 x 26 + 20, 3 x -40 - 5 x 80 - 40) steps.
TEST(QuantizeOperands, MakesIntegersOfInputsAndBiases) {
  const std::string model = quantized({{"product", "input0", "int8", {0.5F}}, {"product", "input1", "int8", {0.01F}}});
  const std::vector<float> y = run(model, {1.6F, -2.4F});
  EXPECT_EQ(y, (std::vector<float>{190 * 0.005F, -560 * 0.005F}));
}

// Scales 0.01 and 0.02 of the columns: w = (100, -20; 26, 40), bias 20 and -20 steps of 0.005 and 0.01; the output's
// scale is 0.25.
TEST(QuantizeOperands, TakesAScalePerChannelAndQuantizesOutputs) {
  const std::string model = quantized({{"product", "input0", "int16", {0.5F}},
                                       {"product", "input1", "int8", {0.01F, 0.02F}, {}, 1},
                                       {"product", "output0", "int8", {0.25F}}});
  EXPECT_EQ(run(model, {1.6F, -2.4F}), (std::vector<float>{1.0F, -2.75F}));  // 0.95 and -2.8
}

// A zero point of 100 shifts what int8 can hold: 127 is (127 - 100) 0.5.
TEST(QuantizeOperands, TakesZeroPoints) {
  const std::string model =
      quantized({{"product", "input0", "int8", {0.5F}, {100}}, {"product", "input1", "int8", {0.01F}}});
  EXPECT_EQ(run(model, {100.0F, -2.4F}), run(model, {13.5F, -2.5F}));
}

TEST(QuantizeOperands, LeavesTheRestAsItIs) {
  EXPECT_EQ(run(quantized({}), {1.5F, -2.5F}), run(product_model(), {1.5F, -2.5F}));
}

// Identity is simplified away: who reads it gets what it was asked for.
TEST(QuantizeOperands, GiveAPlanThatTheSimplifiedModelFits) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 2});
  const ValueId same = b.node("same", "Identity", {x});
  b.output(b.node("product", "Gemm", {same, b.floats({2, 2}, {1.0F, -0.4F, 0.26F, 0.8F})}));
  const std::string plan = plan_of_operands(
      bytes(export_onnx_bytes(b.graph)),
      {{"same", "output0", "int16", {0.5F}, {3}}, {"product", "input1", "int8", {0.01F, 0.02F}, {}, 1}});
  const Plan read = plan_from_json(plan, "plan");
  const OperandPlan* input = read.find("product", OperandRef::input(0));
  ASSERT_NE(input, nullptr);
  EXPECT_EQ(input->params, (QParams{QType::kInt16, -1, {0.5F}, {3}}));
  EXPECT_EQ(read.find("product", OperandRef::input(1))->params, (QParams{QType::kInt8, 1, {0.01F, 0.02F}, {}}));
  EXPECT_EQ(read.find("same", OperandRef::output(0)), nullptr);
  EXPECT_TRUE(read.notes.empty());
}

TEST(QuantizeOperands, SaysWhatDoesNotFit) {
  const auto message = [](OperandIntegers operand) { return message_of([&] { quantized({std::move(operand)}); }); };
  EXPECT_EQ(message({"produkt", "input0", "int8", {1}}), "node 'produkt' input0: the model has no such node");
  EXPECT_EQ(message({"product", "input7", "int8", {1}}), "node 'product' input7: the node has no such operand");
  EXPECT_EQ(message({"product", "in", "int8", {1}}),
            "node 'product' in: it is no operand; write input0, output0 or the like");
  EXPECT_EQ(message({"product", "input0", "float32", {1}}),
            "node 'product' input0: its precision 'float32' is none of int8, int16 and ec");
  EXPECT_EQ(message({"product", "input0", "int8", {}}), "node 'product' input0: it has no scale");
  EXPECT_EQ(message({"product", "input0", "int8", {1, 2}}),
            "node 'product' input0: it has several scales, and no axis");
  EXPECT_EQ(message({"product", "input0", "int8", {1}, {0, 1}}),
            "node 'product' input0: scales and zero points do not pair");
  EXPECT_NE(message({"product", "input1", "int8", {1, 2, 3}, {}, 1}).find("3 scales, but axis 1"), std::string::npos);
  EXPECT_NE(message({"product", "input1", "int8", {1}, {3}}).find("only activations"), std::string::npos);
  EXPECT_NE(message_of([] { quantize_operands(bytes("no model"), {}, "mine"); }).find("mine"), std::string::npos);
}

}  // namespace
}  // namespace twofold
