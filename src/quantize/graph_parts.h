// The part of a float model that a change of some node concerns: what of it has to be made and lowered again.
#ifndef TWOFOLD_SRC_QUANTIZE_GRAPH_PARTS_H_
#define TWOFOLD_SRC_QUANTIZE_GRAPH_PARTS_H_

#include <optional>
#include <vector>

#include "base/content_hash.h"
#include "graph/graph.h"
#include "quantize/apply.h"

namespace twofold {

// Cuts the topological order of a graph: the part is every node behind the cut, in the same order, on inputs that take
// the place of the values which cross it.
//
//   x ─ A ─ a ─ B ─ b ─ C ─ c ─ D          cut before C:         b ─ C ─ c ─ D
//            └──────────────────┘ (reads a)                      a ──────────┘
//
// Changed, lowered and fused, a part becomes what it would become inside the whole graph, since nothing is lost that
// any of these looks at. So a cut is possible only where all values that cross it
//   - are computed by the base's executor and kept (a value inside a fused node is not, and would be fused again);
//   - are float32, so that no dimensions are known from their elements (infer/infer_types.h);
//   - are one, or everything behind the cut has a known shape: else two values could be known to have the same
//     (engine/shape_classes.h).
// The latest such cut is taken. All values that cross it are ready before any node of the part, as they are in the
// whole.
class GraphParts {
 public:
  struct Part {
    Graph graph;
    std::vector<ContentHash> inputs;  // the keys of its inputs
    NodeId first = 0;                 // node n of the whole graph is node n - first
  };

  // `keys` by ValueId: of inputs and of what is kept. `graph` must outlive the object.
  GraphParts(const Graph& graph, std::vector<std::optional<ContentHash>> keys);

  // A part with all nodes from `first` on; nothing where only the whole graph is one.
  std::optional<Part> from(NodeId first) const;
  // A part with all that becomes something else when these operands are quantized: their nodes and what reads them, and
  // the operators that lowering may wrap together with a QuantizeLinear behind them (engine/wrap_quantized.h).
  std::optional<Part> of(const std::vector<OperandQuantization>& operands) const;

 private:
  const Graph& graph_;
  const std::vector<std::optional<ContentHash>> keys_;
  std::vector<TensorType> types_;     // by ValueId, of those that may cross a cut
  std::vector<NodeId> chain_begins_;  // by NodeId: the first of those that may be wrapped together up to it
  std::vector<NodeId> cuts_;          // by NodeId: the latest possible cut that is not behind it; 0: none
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_GRAPH_PARTS_H_
