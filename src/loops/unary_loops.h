// Element-wise float32 functions of one operand, compiled for each instruction set; the bits are the same for all.
#ifndef TWOFOLD_SRC_LOOPS_UNARY_LOOPS_H_
#define TWOFOLD_SRC_LOOPS_UNARY_LOOPS_H_

#include <cstdint>

namespace twofold {

// ONNX's names. kElu stands for Elu, Selu and Celu: x > 0 ? beta x : alpha (e^(gamma x) - 1).
enum class UnaryOp : uint8_t {
  kAbs,
  kNeg,
  kRelu,
  kSigmoid,
  kTanh,
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kErf,
  kFloor,
  kCeil,
  kRound,
  kSign,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kHardSigmoid,
  kHardSwish,
  kLeakyRelu,
  kElu,
  kThresholdedRelu,
  kSoftplus,
  kSoftsign,
  kMish,
  kGelu,
  kGeluTanh,
  kSwish,
  kClip,
  kShrink,
  kSquare,
  kPow,
};

// What the attributes of the operator mean:
//   kHardSigmoid: alpha x + beta;  kLeakyRelu, kThresholdedRelu, kSwish: alpha;  kElu: see above;
//   kClip: [alpha, beta];  kShrink: lambda = alpha, bias = beta;  kPow: exponent = alpha.
struct UnaryParams {
  float alpha = 0, beta = 0, gamma = 0;
};

// One such function.
struct UnaryStep {
  UnaryOp op = UnaryOp::kRelu;
  UnaryParams params;
};

// out[i] = op(in[i]) for n elements. `out` may be `in`, but must not overlap it otherwise. Single-threaded.
void apply_unary(UnaryOp op, const UnaryParams& params, const float* in, float* out, int64_t n);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_UNARY_LOOPS_H_
