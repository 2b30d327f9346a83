#include "engine/fold_dequantized_constants.h"

#include "engine/fold_constant_nodes.h"

namespace twofold {

int fold_dequantized_constants(Graph& graph) { return fold_constant_nodes(graph, "DequantizeLinear"); }

}  // namespace twofold
