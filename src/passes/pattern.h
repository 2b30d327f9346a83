// What the passes that look for a pattern share: constants, uses, and putting one node in the place of several.
#ifndef TWOFOLD_SRC_PASSES_PATTERN_H_
#define TWOFOLD_SRC_PASSES_PATTERN_H_

#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "infer/infer_types.h"

namespace twofold {

// The number in a float32 constant of exactly one element, whatever its rank.
std::optional<float> scalar_constant(const Graph& graph, ValueId id);

// True if two floats are the same constant written by different tools: within 1e-6 of the expected one's magnitude.
bool nearly(float value, double expected);

// A node with two inputs, one of them a one-element float32 constant: x op c, or c op x.
struct ScalarOperation {
  ValueId x = kNone;
  float scalar = 0;
};

// A reduction of x over one constant axis, which stays with length 1. The axis counts from the front where the rank of
// x is known.
struct Reduction {
  NodeId node = kNone;
  ValueId x = kNone;
  int64_t axis = 0;
};

// One graph and what is known of it, for the length of a pass. Passes may rewrite the graph meanwhile: an existing
// value keeps its type.
class Pattern {
 public:
  explicit Pattern(Graph& graph) : graph_(graph), types_(infer_types(graph)) {}

  // What is known of a value; unknown for values added since.
  const InferredType& type(ValueId id) const;

  // The node that computes `id`, if it is an `op_type` and computes nothing else that is used; kNone otherwise.
  NodeId producer(ValueId id, std::string_view op_type) const;

  // Matches x + c, c + x, x * c, c * x, x - c, x / c, x ^ c. Refuses where broadcasting with the constant might raise
  // the rank of x, since the pattern would then mean another shape.
  std::optional<ScalarOperation> scalar_operation(NodeId id, std::string_view op_type) const;
  // The same for the node that computes `id`, with the scalar given; x, or kNone.
  ValueId undo(ValueId id, std::string_view op_type, double scalar) const;

  // Matches the node that computes `id`, if it is such a reduction.
  std::optional<Reduction> reduction(ValueId id, std::string_view op_type) const;

  // The other input of a two-input node that reads `one` once; kNone otherwise.
  ValueId other_input(NodeId id, ValueId one) const;

  // True if what every node of `inner` computes is read by `inner` and `last` only, and is no output of the graph.
  bool is_private(const std::vector<NodeId>& inner, NodeId last) const;

  // `last` becomes op_type(inputs) with `attributes`; it keeps its name and outputs and takes over the origins of
  // `inner`, whose nodes are removed. REQUIRES: is_private(inner, last).
  void fuse(const std::vector<NodeId>& inner, NodeId last, std::string op_type, const std::vector<ValueId>& inputs,
            Attributes attributes = {});

 private:
  Graph& graph_;
  std::vector<InferredType> types_;
};

// Calls fuse_at on every node that is still there, producers first, and counts where it returned true. Values that
// fusing adds have no known type until the next time.
int fuse_everywhere(Graph& graph, bool (*fuse_at)(Graph& graph, Pattern& pattern, NodeId id));

// Makes input `input` of a node the constant `tensor`: in the place of the constant there where nothing else reads it,
// else as a new one with a similar name, or with `name` where there is none.
void replace_constant(Graph& graph, NodeId id, int input, Tensor tensor, std::string_view name);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_PATTERN_H_
