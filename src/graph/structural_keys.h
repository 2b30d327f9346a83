// What values are computed from, as numbers: two values with one key have the same elements in every run on the same
// inputs, whatever graphs they stand in.
#ifndef TWOFOLD_SRC_GRAPH_STRUCTURAL_KEYS_H_
#define TWOFOLD_SRC_GRAPH_STRUCTURAL_KEYS_H_

#include <map>
#include <tuple>
#include <vector>

#include "base/content_hash.h"
#include "graph/graph.h"

namespace twofold {

// Makes the keys of graphs that share most of their constants: each is hashed once, as long as graphs have it.
class StructuralKeys {
 public:
  // By ValueId. A value's key says which operator computes it with which attributes from which values, down to inputs
  // of the graph (by position) and constants (by content). Names do not count. Unset for values of no use: those that
  // are neither inputs nor constants and that no node computes.
  std::vector<ContentHash> of(const Graph& graph);
  // The same of a part of a graph, whose inputs have these keys. Constants of the whole are remembered meanwhile.
  std::vector<ContentHash> of_part(const Graph& graph, const std::vector<ContentHash>& inputs);

  // That of an input, by its position.
  static ContentHash of_input(size_t position) { return {1, position}; }

  // What a node is apart from where its inputs come from, and so what its kernel depends on: operator and attributes,
  // constant inputs, and which of the others and of its outputs there are. `keys` as of() gives them for its graph.
  ContentHash of_operator(const Graph& graph, const Node& node, const std::vector<ContentHash>& keys);

 private:
  using Address = std::tuple<const std::byte*, DType, Shape>;
  struct KnownConstant {
    Tensor tensor;  // keeps the address from being used again
    ContentHash key;
    uint64_t seen = 0;
  };

  std::vector<ContentHash> compute(const Graph& graph);
  std::vector<ContentHash> compute(const Graph& graph, const std::vector<ContentHash>& inputs);
  ContentHash of_constant(const Tensor& tensor);
  void add_operator(const Node& node, ContentHasher& hasher);
  void add_attribute(const Attribute& attribute, ContentHasher& hasher);

  std::map<Address, KnownConstant> known_, known_of_parts_;
  uint64_t graphs_ = 0, parts_ = 0;
  bool in_part_ = false;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRAPH_STRUCTURAL_KEYS_H_
