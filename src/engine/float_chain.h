// Chains of element-wise float operators in a graph with Q/DQ, as lowering joins them.
#ifndef TWOFOLD_SRC_ENGINE_FLOAT_CHAIN_H_
#define TWOFOLD_SRC_ENGINE_FLOAT_CHAIN_H_

#include <optional>
#include <vector>

#include "dialect/float_program.h"
#include "engine/quantized_edge.h"
#include "graph/graph.h"
#include "infer/infer_types.h"

namespace twofold {

// An edge with one scale, of a type that quantized tensors have.
std::optional<QuantizedEdge> dequantized_tensor(const Graph& graph, ValueId real);
std::optional<QuantizedEdge> quantized_tensor(const Graph& graph, NodeId id);
StoredForm stored_form(const QuantizedEdge& edge);

// Who reads a float value.
struct Readers {
  std::vector<NodeId> quantizers;  // QuantizeLinear nodes that make a quantized_tensor of it
  bool needs_float = false;        // something else reads it too, or it is an output of the graph
};
Readers readers_of(const Graph& graph, ValueId value);

// A float program found in the graph: the nodes that it replaces, the values it reads, and who reads its result.
struct FloatChain {
  FloatProgram program;
  std::vector<ValueId> operands;  // of the program: integers, or float32 as they are
  std::vector<NodeId> nodes;
  ValueId result = kNone;
  std::vector<NodeId> quantizers;  // the QuantizeLinear nodes behind the result
  bool needs_float = false;        // something else reads it too
};

// What lowering knows of a graph with Q/DQ before it changes anything.
class ChainFinder {
 public:
  // `watched`, by ValueId: no chain swallows those.
  ChainFinder(const Graph& graph, std::vector<bool> watched);

  // The chain that begins with `value`, which node `start` computes. Operands are there when `start` runs.
  FloatChain behind(ValueId value, NodeId start) const;
  // The chain that begins with node `first` itself, reading `value`; nothing where the node is no such operator.
  std::optional<FloatChain> from(NodeId first, ValueId value) const;
  bool is_watched(ValueId id) const {
    return static_cast<size_t>(id) < watched_.size() && watched_[static_cast<size_t>(id)];
  }

 private:
  bool extend(FloatChain& chain, NodeId next, int64_t start) const;
  std::optional<FloatStep> step_of(FloatChain& chain, const Node& node, ValueId value, int64_t start) const;
  void follow(FloatChain& chain, int64_t start) const;
  int64_t position(ValueId id) const;

  const Graph& graph_;
  const std::vector<bool> watched_;
  const std::vector<InferredType> types_;
  std::vector<int64_t> node_position_, value_position_;  // in topological order, as the graph was
};

// Outputs of the program and of the node that runs it: one per quantizer, and a float32 one where it is needed. The
// quantizers and the chain's nodes leave the graph; the origins of the latter go to `node`.
void take_outputs(Graph& graph, FloatChain& chain, Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FLOAT_CHAIN_H_
