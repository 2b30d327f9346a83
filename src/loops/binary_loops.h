// Element-wise float32 functions of two operands, compiled for each instruction set; the bits are the same for all.
#ifndef TWOFOLD_SRC_LOOPS_BINARY_LOOPS_H_
#define TWOFOLD_SRC_LOOPS_BINARY_LOOPS_H_

#include <cstdint>

namespace twofold {

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow, kPRelu, kFmod, kMod };

// out[i] = op(a[i * a_step], b[i * b_step]) for n elements; each step is 0 or 1. kMax and kMin give NaN if either
// operand is NaN; kPRelu has the slope in b; kFmod is C's fmod,
// kMod the remainder with the sign of the divisor. `out` may be an operand with step 1. Single-threaded.
void apply_binary(BinaryOp op, const float* a, int64_t a_step, const float* b, int64_t b_step, float* out, int64_t n);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_BINARY_LOOPS_H_
