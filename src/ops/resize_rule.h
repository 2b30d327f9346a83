// How a Resize finds its numbers, from its attributes.
#ifndef TWOFOLD_SRC_OPS_RESIZE_RULE_H_
#define TWOFOLD_SRC_OPS_RESIZE_RULE_H_

#include "graph/attribute.h"
#include "loops/resize_taps.h"

namespace twofold {

// Throws Error(kInvalidModel) for a word that is none.
ResizeRule resize_rule(const Attributes& attributes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_RESIZE_RULE_H_
