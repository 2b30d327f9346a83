// Which function of unary_loops.h an element-wise operator of one input is.
#ifndef TWOFOLD_SRC_OPS_UNARY_STEP_H_
#define TWOFOLD_SRC_OPS_UNARY_STEP_H_

#include <optional>
#include <string_view>

#include "graph/graph.h"
#include "loops/unary_loops.h"

namespace twofold {

// What the attributes of an operator that is `op` mean.
UnaryParams unary_params(UnaryOp op, std::string_view op_type, const Attributes& attributes);

// The step that computes what the node computes of a float32 tensor; nothing for other operators, and for a Clip whose
// bounds are not constants.
std::optional<UnaryStep> unary_step(const Graph& graph, const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_UNARY_STEP_H_
