// The backward sweep of a float graph, as a graph that the executor runs.
//
//   forward:   x ─ Conv(w) ─ c ─ Relu ─ y
//   backward:  y, v ─ Where(y > 0, v, 0) ─ dc ─ ConvTranspose(w) ─ dx
//
// For a cotangent v of each output it computes the gradient of Σ v * output with respect to the activations: to what
// nodes compute from inputs, and to inputs, not to weights. Each operator's rule is a rewrite onto operators of ONNX
// (rule.h). At kinks and ties the rules follow PyTorch, and say so.
#ifndef TWOFOLD_SRC_GRADIENTS_BACKWARD_H_
#define TWOFOLD_SRC_GRADIENTS_BACKWARD_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

struct Backward {
  // Its inputs: the values of `forward`, in that order and with their own element types, then one float32 cotangent per
  // output of the forward graph, in their order and shapes (that of an integer output changes nothing). All gradients
  // are float32, whatever the values are.
  Graph graph;
  std::vector<ValueId> forward;  // inputs and results of the forward graph: what to keep of its run
  // Forward value -> position among the outputs of `graph`. A wanted float value that is in neither this map nor
  // `incomplete` has the gradient zero: no output depends on it, or only in steps (Floor, ArgMax, ...).
  std::map<ValueId, size_t> gradients;
  // Nodes of the forward graph through which not all of the gradient could be led, and why.
  std::map<NodeId, std::string> without_rule;
  // Wanted values whose gradient lacks what flows through such a node; all of it, where `gradients` has none.
  std::set<ValueId> incomplete;
};

// `shapes`: of each value of the forward graph in the sample; constants may be left out. The graph is for inputs of
// these shapes. `wanted`: the values whose gradients are asked for, none of them constants; empty stands for all floats
// among the inputs and the results of nodes. Throws Error(kInvalidArgument) naming a value whose shape is needed and
// missing, or one that cannot be wanted; and Error(kInvalidModel) naming a node that is malformed. Linear in the size
// of the graph.
Backward backward_of(const Graph& forward, const std::map<ValueId, Shape>& shapes,
                     const std::set<ValueId>& wanted = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_BACKWARD_H_
