// The kernel of quantized bodies (quantized_body_node.h).
#ifndef TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_
#define TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_

#include <memory>

#include "ops/op.h"

namespace twofold {

// Runs the body, a block of rows or channels at a time where every operator in it treats these one by one
// (ops/independent_dims.h), so that what is float32 stays in the cache. The bits are those of the body's operators.
std::unique_ptr<Kernel> make_quantized_body(const KernelArgs& args);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_
