// Integer products as a device runs them that multiplies 8-bit numbers only: an `ec` operand 254 q1 + q2
// (numeric/ec.h) in two passes, one for each digit, whose accumulators are added up; four passes where both operands
// are ec. What comes out is what one pass over the joined 16-bit operand gives, to the bit.
#ifndef TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_
#define TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_

#include <memory>

#include "ops/op.h"

namespace twofold {

// Attributes that lowering gives an integer product (integer_product.h) which is to run so: 1 where the operand, int16
// with zero point 0, is ec.
inline constexpr const char* kEcA = "a_ec";
inline constexpr const char* kEcB = "b_ec";

// 2 or 4, or 1 for every other node.
int ec_passes(const Node& node);

// REQUIRES: ec_passes(args.node) > 1.
std::unique_ptr<Kernel> make_ec_product(const KernelArgs& args);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_
