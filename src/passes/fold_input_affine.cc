#include "passes/fold_input_affine.h"

#include <algorithm>

#include "passes/linear_op.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

bool pads_nothing(const Node& node) {
  const std::string auto_pad = node.attributes.get_string("auto_pad", "NOTSET");
  const std::vector<int64_t> pads = node.attributes.get_ints("pads", {});
  return auto_pad == "VALID" ||
         (auto_pad == "NOTSET" && std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; }));
}

// The factor or the summand of the node before `op`.
struct InputOperation {
  ValueId x = kNone;
  double scale = 1, shift = 0;
};

std::optional<InputOperation> match_input(const Pattern& pattern, NodeId id) {
  if (const auto mul = pattern.scalar_operation(id, op::kMul)) return InputOperation{mul->x, mul->scalar, 0};
  if (const auto div = pattern.scalar_operation(id, op::kDiv)) return InputOperation{div->x, 1.0 / div->scalar, 0};
  if (const auto add = pattern.scalar_operation(id, op::kAdd)) return InputOperation{add->x, 1, add->scalar};
  if (const auto sub = pattern.scalar_operation(id, op::kSub)) return InputOperation{sub->x, 1, -double{sub->scalar}};
  return std::nullopt;
}

}  // namespace

int fold_input_affine(Graph& graph) {
  int folded = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    const auto op = match_linear_op(graph, pattern, id);
    if (!op || graph.node(id).input(0) == kNone || !graph.has_single_use(graph.node(id).inputs[0])) continue;
    const NodeId before = graph.producer(graph.node(id).inputs[0]);
    const auto operation = match_input(pattern, before);
    if (!operation) continue;
    if (operation->shift != 0 && !graph.node(id).is(op::kGemm) &&
        !(graph.node(id).is(op::kConv) && pads_nothing(graph.node(id)))) {
      continue;
    }
    if (!fold_preceding(graph, *op, operation->scale, operation->shift)) continue;
    graph.add_origins(id, graph.node(before).origins);
    graph.set_input(id, 0, operation->x);
    graph.remove_node(before);
    ++folded;
  }
  return folded;
}

}  // namespace twofold
