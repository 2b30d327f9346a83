#include "engine/qdq_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

constexpr DType kTypes[] = {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16};

// conv(x) requantized, then `op` with a second input, Relu, and Q; the products' result is input `position` of `op`.
struct Residual {
  std::string op = "Add";
  int position = 0;
  DType conv_type = DType::kInt8, other_type = DType::kInt8, out_type = DType::kInt8;
  Shape other = {2, 70, 6, 7};

  Graph graph(bool read_twice = false) const {
    QdqBuilder b;
    const ValueId x = b.edge(b.input("x", {2, 5, 6, 7}), 0.03F);
    const ValueId conv = b.edge(b.node("conv", "Conv", {x, b.weight({70, 5, 1, 1}, 0.01F)}), 0.05F, conv_type, 3);
    const ValueId y = b.edge(b.input("y", other), 0.04F, other_type, 5);
    const ValueId sum = b.node("sum", op, position == 0 ? std::vector{conv, y} : std::vector{y, conv});
    b.output(b.edge(b.node("relu", "Relu", {sum}), 0.06F, out_type, 7));
    if (read_twice) b.output(b.edge(b.node("twice", "Sigmoid", {conv}), 0.01F));
    return b.graph;
  }
  std::vector<Tensor> inputs() const { return {random_tensor({2, 5, 6, 7}, 1), random_tensor(other, 2)}; }
};

constexpr const char* kFused = "QuantizeLinear QuantizeLinear IntegerConv DequantizeLinear";

TEST(FuseElementwise, AResidualConnectionIsPartOfTheProduct) {
  for (const DType conv : kTypes) {
    for (const DType other : kTypes) {
      for (const DType out : kTypes) {
        for (const int position : {0, 1}) {
          SCOPED_TRACE(::testing::Message() << to_string(conv) << " + " << to_string(other) << " = " << to_string(out)
                                            << ", position " << position);
          const Residual c = {.position = position, .conv_type = conv, .other_type = other, .out_type = out};
          EXPECT_EQ(expect_fusion_changes_nothing(c.graph(), c.inputs()), kFused);
        }
      }
    }
  }
}

TEST(FuseElementwise, TakesOtherOperatorsAndShapes) {
  for (const char* op : {"Sub", "Mul", "Div", "Max"}) {
    for (const Shape& shape : {Shape{2, 70, 6, 7}, Shape{70, 1, 1}, Shape{1}, Shape{7}, Shape{2, 70, 1, 1}}) {
      for (const int position : {0, 1}) {
        SCOPED_TRACE(std::string(op) + " " + to_string(shape) + " " + std::to_string(position));
        const Residual c = {.op = op, .position = position, .other = shape};
        EXPECT_EQ(expect_fusion_changes_nothing(c.graph(), c.inputs()), kFused);
      }
    }
  }
}

TEST(FuseElementwise, AMatrixProductTakesItsResidualToo) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 9, 20}), 0.03F), y = b.edge(b.input("y", {2, 9, 130}), 0.02F);
  const ValueId product = b.edge(b.node("product", "MatMul", {x, b.weight({20, 130}, 0.01F)}), 0.05F);
  b.output(b.edge(b.node("sum", "Add", {y, product}), 0.06F));
  EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({2, 9, 20}, 1), random_tensor({2, 9, 130}, 2)}),
            "QuantizeLinear QuantizeLinear IntegerMatMul DequantizeLinear");
}

TEST(FuseElementwise, NotWhereSomethingElseReadsTheProduct) {
  const Residual c;
  EXPECT_EQ(expect_fusion_changes_nothing(c.graph(true), c.inputs()),
            "QuantizeLinear QuantizeLinear IntegerConv Elementwise DequantizeLinear Table DequantizeLinear");
}

}  // namespace
}  // namespace twofold
