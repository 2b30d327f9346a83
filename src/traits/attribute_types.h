// The types of attributes by ONNX's definition. A name has one type wherever it stands, but for a few that are left
// out.
#ifndef TWOFOLD_SRC_TRAITS_ATTRIBUTE_TYPES_H_
#define TWOFOLD_SRC_TRAITS_ATTRIBUTE_TYPES_H_

#include "graph/graph.h"
#include "traits/op_traits.h"

namespace twofold {

// Throws Error(kInvalidModel) that names node and attribute: one that ONNX knows is of another type, a list with an
// entry per dimension or two has more entries than tensors have dimensions, or one without a default is absent.
void check_attributes(const Node& node, const OpTraits& traits);

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_ATTRIBUTE_TYPES_H_
