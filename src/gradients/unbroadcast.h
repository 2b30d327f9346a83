// Gradients of what was repeated to a larger shape.
#ifndef TWOFOLD_SRC_GRADIENTS_UNBROADCAST_H_
#define TWOFOLD_SRC_GRADIENTS_UNBROADCAST_H_

#include "gradients/term.h"

namespace twofold {

// The sum of a gradient of shape `from` over all places to which a tensor of shape `to` was broadcast.
Term unbroadcast(Term gradient, const Shape& from, const Shape& to);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_UNBROADCAST_H_
