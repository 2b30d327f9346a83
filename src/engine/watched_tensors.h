// Tensors that a program wants to read and change by the names they have in its model, in the graph that lowering makes
// of it.
#ifndef TWOFOLD_SRC_ENGINE_WATCHED_TENSORS_H_
#define TWOFOLD_SRC_ENGINE_WATCHED_TENSORS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/quantized_edge.h"
#include "graph/graph.h"

namespace twofold {

// What a lowered graph has of one tensor. All that reads the tensor in the model reads one of these there.
struct WatchedTensor {
  ValueId real = kNone;  // the tensor itself; kNone where it is there as integers only
  // What QuantizeLinear behind it makes of it, where one node computes that together with the tensor, or instead of it.
  std::vector<QuantizedEdge> integers;
};

// The readers of tensors before lowering, which tell what a change of one has to reach.
class TensorReaders {
 public:
  // `names` are those of tensors in the graph. Throws Error(kInvalidArgument) for one that is not there (any more).
  TensorReaders(const Graph& graph, const std::vector<std::string>& names);

  // What became of each tensor. Throws Error(kInvalidArgument) for one that the lowered graph does not compute on its
  // own, or that something no longer reads there.
  std::map<std::string, WatchedTensor> in(const Graph& lowered) const;

 private:
  struct Reader {
    std::vector<std::string> origins;
    // Of a QuantizeLinear or DequantizeLinear: what it computes, and who reads that. They often have no node of their
    // own in a lowered graph, where their readers read integers.
    std::string output;
    bool is_graph_output = false;
    std::vector<Reader> behind;
    std::optional<QuantizedEdge> quantizer;
  };

  static std::vector<Reader> readers_of(const Graph& graph, ValueId value);
  static bool reads(const Graph& lowered, const Reader& reader, ValueId value);
  static WatchedTensor find(const Graph& lowered, const std::string& name, const std::vector<Reader>& readers);

  std::map<std::string, std::vector<Reader>> readers_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_WATCHED_TENSORS_H_
