// Integer products as nodes: IntegerConv, IntegerConvTranspose, IntegerMatMul and IntegerGemm, which lowering makes of
// the float operator of that name between DequantizeLinear and QuantizeLinear (docs/numerics.md, rules 4 and 5):
//
//   acc = sum of (a - a_zero_point) * (b - b_zero_point) + bias   exact
//   y = acc * a_scale * b_scale                                   in real units
//
// Inputs: a and b, of the shapes that the float operator takes; bias, in steps of a_scale * b_scale, a constant int64
// [channels] or [1], optional; operands of the program, which broadcast to the product's shape.
// Outputs: y, of the product's shape, in each form of `outputs`; or those of a program, in its forms.
// Attributes: those of the float operator, such as strides and transB, and those of this type.
#ifndef TWOFOLD_SRC_DIALECT_PRODUCT_NODE_H_
#define TWOFOLD_SRC_DIALECT_PRODUCT_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/float_program.h"
#include "graph/graph.h"

namespace twofold {

inline constexpr std::string_view kIntegerConv = "IntegerConv";
inline constexpr std::string_view kIntegerConvTranspose = "IntegerConvTranspose";
inline constexpr std::string_view kIntegerMatMul = "IntegerMatMul";
inline constexpr std::string_view kIntegerGemm = "IntegerGemm";

// Which operands are `ec`, int16 with zero point 0, where the product is to run once per digit (ec_product.h).
struct EcOperands {
  bool a = false, b = false;

  // What mark_ec() has noted, of a float operator too; none where the attributes hold no mark.
  static EcOperands read(const Attributes& attributes);
  int passes() const { return (a ? 2 : 1) * (b ? 2 : 1); }
};

// Marks operand 0 or 1 of a Conv, ConvTranspose, MatMul or Gemm, for the product that it becomes.
void mark_ec(Attributes& attributes, int operand);

// A value.
struct ProductNode {
  std::string op_type;
  ValueId a = kNone, b = kNone, bias = kNone;
  std::vector<ValueId> operands;  // of the program

  DType a_dtype = DType::kUndefined;  // 8- or 16-bit integers, as b has
  float a_scale = 1;
  int32_t a_zero_point = 0, b_zero_point = 0;
  std::vector<float> b_scale;  // one, or one per output channel of a group
  EcOperands ec;

  // The forms that accumulators take: integers, float32, or float64 for the accumulators themselves. Before a program
  // there is one, which it begins with.
  std::vector<StoredForm> outputs;
  std::optional<FloatProgram> program;

  // "Conv" -> "IntegerConv". REQUIRES: is_gemm_type() of a node of that type.
  static std::string op_type_of(std::string_view float_op_type);
  static bool is(const Node& node);
  // REQUIRES: is(node).
  static ProductNode read(const Node& node);
  void write(Node& node) const;
};

// The passes over 8-bit digits that the node runs in: 2 or 4 for products that are marked, else 1.
int ec_passes(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_PRODUCT_NODE_H_
