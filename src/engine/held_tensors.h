// Keeps lowering from swallowing tensors that a program wants to read and change.
#ifndef TWOFOLD_SRC_ENGINE_HELD_TENSORS_H_
#define TWOFOLD_SRC_ENGINE_HELD_TENSORS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/watched_tensor.h"
#include "graph/graph.h"

namespace twofold {

// The integers of a constant that `twofold quantize` has quantized, by the name it had: x of x_quantized
// (quantize/apply.h). kNone where the graph has no such constant, or has the tensor itself.
ValueId quantized_constant(const Graph& graph, const std::string& name);

// Two passes of one lowering, and what they know. In between, every way from a held tensor x to its readers leads
// through a node Hold of domain "twofold", which no pass sees through: as integers where the model quantizes x, so that
// products still give and take integers; else as the numbers themselves.
//
//   x ─┬─ Q ─ DQ ─ Conv                        =>   x ─┬─ Q ─ Hold ─ DQ ─ Conv
//      ├─ EcQuantize ─ DQ ─ MatMul                     ├─ EcQuantize ─ Hold ─ DQ ─ MatMul
//      ├─ Softmax                                      └─ Hold ─┬─ Softmax
//      └─ Add                                                   └─ Add
//
// A quantized constant is held as the integers that its DequantizeLinear nodes read, which are computed then.
//
// So whatever becomes of the nodes around, the values that the Hold nodes read are all that the model reads of x. Where
// none is held the passes change nothing.
class HeldTensors {
 public:
  // Names of tensors.
  explicit HeldTensors(const std::vector<std::string>& names);

  // Puts the Hold nodes in; returns how many. Throws Error(kInvalidArgument) for a tensor that is not there (any more),
  // and for what would be read past: the digits of an ec activation, and the output of a DequantizeLinear that an
  // integer product reads as integers.
  int hold(Graph& graph);

  // Takes them out. Where lowering has found that two tensors hold the same integers, one of them gets an Identity, so
  // that each can be changed alone; so does a constant, which nothing could change. Returns how many there were.
  int release(Graph& graph);

  // What has become of each tensor, in the compacted graph. Throws Error(kInvalidArgument) for one that nothing reads.
  std::map<std::string, WatchedTensor> in(const Graph& lowered) const;

 private:
  struct HeldForm {
    NodeId hold;
    IntegerForm form;
  };
  struct Held {
    bool is_input = false;
    NodeId real = kNone;  // the Hold node of the tensor itself
    std::vector<HeldForm> forms;
  };

  bool hold_constant(Graph& graph, const std::string& name, Held& held);
  void hold_tensor(Graph& graph, const std::string& name, const std::set<std::string>& digits, Held& held);
  NodeId hold_value(Graph& graph, ValueId value, DType dtype, const std::set<NodeId>& past);
  // The value that a Hold node stood for; kNone where nothing has read it any more.
  ValueId released(const Graph& lowered, NodeId hold) const;

  std::map<std::string, Held> tensors_;
  std::map<ValueId, NodeId> holds_;         // by what they read first
  std::map<NodeId, std::string> released_;  // names of values, by Hold node
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_HELD_TENSORS_H_
