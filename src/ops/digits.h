// Exact integer products on float units.
//
// A float32 sum of integers is exact, in any order, while no partial sum passes 2^24. So an integer convolution or
// matrix product can run on float kernels bit for bit if its operands are written as small enough digits:
//   x = sum_i x_i 2^(s_i),  w = sum_j w_j 2^(t_j)   =>   sum_k x w = sum_ij 2^(s_i + t_j) sum_k x_i w_j,
// each inner sum below 2^24, the outer one in double (exact below 2^53). int8 x int8 usually takes one float product,
// int16 x int8 two, int16 x int16 four.
#ifndef TWOFOLD_SRC_OPS_DIGITS_H_
#define TWOFOLD_SRC_OPS_DIGITS_H_

#include <cstdint>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// One digit of every element: float32 integers, to be multiplied by 2^shift.
struct Digit {
  Tensor values;
  int shift;
};

// Bits per digit, from the least significant, that write every integer of magnitude <= `bound` in balanced form:
// a digit of b bits lies in [-2^(b-1), 2^(b-1)]; the last one takes what is left.
struct DigitPlan {
  std::vector<int> shifts;  // 0, b, 2b, ...
  int64_t largest;          // largest magnitude of any digit
};
DigitPlan plan_digits(int64_t bound, int bits);

// The digits of (element - zero_point), least significant first. Layout is kept.
// REQUIRES: int8, uint8, int16 or uint16; `plan` covers the range.
std::vector<Digit> split_digits(const Tensor& q, int32_t zero_point, const DigitPlan& plan, Allocator* allocator);

// Largest |element - zero_point| that the type can hold.
int64_t magnitude_bound(DType dtype, int32_t zero_point);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_DIGITS_H_
