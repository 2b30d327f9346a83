// Operands of MatMulInteger and ConvInteger: 8-bit integers and the zero points they are counted from.
#ifndef TWOFOLD_SRC_OPS_CENTRED_INTEGERS_H_
#define TWOFOLD_SRC_OPS_CENTRED_INTEGERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/requantizer.h"
#include "twofold/tensor.h"

namespace twofold {

// The zero points of an operand, in plain order; one of 0 without a tensor, and one where all are alike. Throws
// Error(kInvalidModel) naming the operand unless it is int8 or uint8 and they are of its type.
std::vector<int32_t> read_zero_points(const Tensor* zero_points, const Tensor& operand, const char* operand_name);

// Integers with one zero point.
struct CentredIntegers {
  Tensor integers;  // plain
  int32_t zero_point = 0;
};

// The operand itself, or, where its zero points differ, what its integers are above them, as int16. `index` gives the
// zero point of an element.
CentredIntegers centred(const Tensor& operand, const std::vector<int32_t>& zero_points,
                        const std::function<size_t(size_t)>& index, Allocator* allocator);

// A requantizer's form of the exact sum itself.
kernels::OutputForm exact_sum();

// The sum modulo 2^32, as ONNX's int32 results are.
inline int32_t wrapped(int64_t sum) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(sum))); }

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_CENTRED_INTEGERS_H_
