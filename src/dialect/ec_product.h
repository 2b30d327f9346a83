// Integer products as a device runs them that multiplies 8-bit numbers only: an `ec` operand 254 q1 + q2
// (numeric/ec.h) in two passes, one for each digit, whose accumulators are added up; four passes where both operands
// are ec. What comes out is what one pass over the joined 16-bit operand gives, to the bit.
#ifndef TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_
#define TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_

#include <memory>

#include "ops/op.h"

namespace twofold {

// The kernel of a product that is marked so (EcOperands of product_node.h). REQUIRES: ec_passes(args.node) > 1.
std::unique_ptr<Kernel> make_ec_product(const KernelArgs& args);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_EC_PRODUCT_H_
