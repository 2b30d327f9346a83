// Conversion between element types, and operators that compute float16 and bfloat16 in float32.
#ifndef TWOFOLD_SRC_OPS_CAST_H_
#define TWOFOLD_SRC_OPS_CAST_H_

#include "ops/op.h"

namespace twofold {

// The tensor in another element type, in the same layout: integers wrap modulo 2^bits; floating point to integer
// truncates and saturates (NaN gives 0); anything to bool is x != 0; to a narrower float rounds to nearest even.
Tensor cast(const Tensor& tensor, DType dtype);

// Runs `run` with float16 and bfloat16 inputs converted to float32, and converts the float32 ones of its first
// `narrow_outputs` outputs back to the 16-bit type of the inputs. Without such inputs it is `run` itself.
void run_in_float32(OpCall& call, void (*run)(OpCall& call), int narrow_outputs);

// An OpDef::run that also takes float16 and bfloat16.
template <void (*run)(OpCall& call), int narrow_outputs = 1>
void with_16bit_floats(OpCall& call) {
  run_in_float32(call, run, narrow_outputs);
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_CAST_H_
