#include "dialect/check_node.h"

#include "base/error.h"

namespace twofold {

void check_inputs(const Node& node, size_t least, size_t most) {
  const size_t count = node.inputs.size();
  if (count >= least && count <= most) return;
  throw_error(ErrorCode::kInvalidModel, "the node has {} inputs, but must have {}", count,
              least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most));
}

void check_given(const Node& node, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    if (node.inputs[i] == kNone) throw_error(ErrorCode::kInvalidModel, "input {} is required but missing", i);
  }
}

void check_outputs(const Node& node, size_t count) {
  if (node.outputs.size() == count) return;
  throw_error(ErrorCode::kInvalidModel, "the node has {} outputs, but must have {}", node.outputs.size(), count);
}

}  // namespace twofold
