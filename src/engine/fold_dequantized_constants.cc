#include "engine/fold_dequantized_constants.h"

#include "engine/fold_constant_nodes.h"
#include "traits/op_names.h"

namespace twofold {

int fold_dequantized_constants(Graph& graph) { return fold_constant_nodes(graph, op::kDequantizeLinear); }

}  // namespace twofold
