// Element-wise float32 work behind a product, or in a chain of its own, step by step. Two things compute it: blocks of
// integers (dialect/float_program.h), and oneDNN behind float Conv, ConvTranspose, MatMul and Gemm (post_ops.h).
#ifndef TWOFOLD_SRC_OPS_FLOAT_STEPS_H_
#define TWOFOLD_SRC_OPS_FLOAT_STEPS_H_

#include <string_view>
#include <variant>
#include <vector>

#include "graph/attribute.h"
#include "loops/binary_loops.h"
#include "loops/unary_loops.h"

namespace twofold {

// The domain of float operators that the engine has fused with what follows them: the operator of the same name, its
// steps as attributes, and their operands as inputs from number 3 on. No model file holds these nodes.
inline constexpr std::string_view kFusedDomain = "twofold.fused";

// y = op(y, x), or op(x, y) if reversed. x is operand number `operand`, or the number `value` where that is -1.
struct BinaryStep {
  BinaryOp op = BinaryOp::kAdd;
  bool reversed = false;
  int operand = -1;
  float value = 0;
};

// Each on every element y.
using FloatStep = std::variant<UnaryStep, BinaryStep>;
using FloatSteps = std::vector<FloatStep>;

// As attributes of a node that no file holds. Absent ones read as no steps; others that are no steps throw
// Error(kInvalidModel) naming the attribute.
void write_steps(Attributes& attributes, const FloatSteps& steps);
FloatSteps read_steps(const Attributes& attributes);
void erase_steps(Attributes& attributes);

// The operand that a step reads, or -1.
int operand_of(const FloatStep& step);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_FLOAT_STEPS_H_
