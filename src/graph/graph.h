// A network: values (tensors with names) and the nodes that compute them, in ONNX's words.
//
// One Graph type serves the float model, the model with Q/DQ and the lowered integer model; they differ only in the
// nodes they hold. Every Graph means the operators of opset kOpset: import upgrades older forms, so that nothing behind
// it knows about opset versions.
#ifndef TWOFOLD_SRC_GRAPH_GRAPH_H_
#define TWOFOLD_SRC_GRAPH_GRAPH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/attribute.h"
#include "graph/name_index.h"
#include "twofold/tensor.h"

namespace twofold {

// The ONNX opset whose operator definitions a Graph uses (RMSNormalization comes from 23 in addition).
inline constexpr int kOpset = 21;

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr int32_t kNone = -1;  // an omitted optional input or output; no producer

// One dimension of a declared shape: a number, or unknown (value -1) with an optional symbol such as "batch".
struct Dim {
  int64_t value = -1;
  std::string symbol;
  bool operator==(const Dim&) const = default;
};

// What is known of a value before anything runs.
struct TensorType {
  DType dtype = DType::kUndefined;
  std::optional<std::vector<Dim>> shape;  // absent: even the rank is unknown
};

struct Value {
  std::string name;
  TensorType type;
  std::optional<Tensor> constant;  // initializers and folded constants
};

struct Node {
  std::string name;              // unique in its graph; never empty once added
  std::string op_type;           // "Conv"
  std::string domain;            // "" is ONNX's own
  std::vector<ValueId> inputs;   // kNone for an omitted optional input
  std::vector<ValueId> outputs;  // kNone for an omitted optional output
  Attributes attributes;
  // Names of the input file's nodes that this one stands for, itself included; fusing passes append to it.
  // A config that names any of them finds this node.
  std::vector<std::string> origins = {};

  bool is(std::string_view type, std::string_view of = "") const { return op_type == type && domain == of; }
  // The input or kNone past the end.
  ValueId input(int i) const { return i < static_cast<int>(inputs.size()) ? inputs[static_cast<size_t>(i)] : kNone; }
  ValueId output(int i) const { return i < static_cast<int>(outputs.size()) ? outputs[static_cast<size_t>(i)] : kNone; }
};

// An output keeps the file's name whatever value passes let it stand for.
struct GraphOutput {
  std::string name;
  ValueId value = kNone;
};

// A value: copying copies the structure and shares constant bytes. Ids stay valid until compact().
//
// Subgraphs (If, Loop, Scan) are attributes. What a body uses of the outer graph is explicit: the names it captures are
// appended to the node's inputs (for If: one list for both branches) and, in the same order, to each body's inputs; the
// body's num_captures says how many. So data flow is visible to every pass.
//
// Thread-safe as const.
class Graph {
 public:
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<GraphOutput> outputs;
  int num_captures = 0;                         // of a subgraph: how many trailing inputs are captured
  std::map<std::string, std::string> metadata;  // the model's metadata_props

  // --- values
  // Throws Error(kInvalidModel) if the name is taken.
  ValueId add_value(std::string name, TensorType type = {});
  ValueId add_constant(std::string name, Tensor tensor);
  // `base`, or `base` with a number behind it: a name no value has (graph/unique_name.h).
  std::string unique_value_name(std::string_view base) const;
  std::string unique_node_name(std::string_view base) const;
  int num_values() const { return static_cast<int>(values_.size()); }
  const Value& value(ValueId id) const { return values_[index(id)].value; }
  void set_type(ValueId id, TensorType type) { values_[index(id)].value.type = std::move(type); }
  void set_constant(ValueId id, Tensor tensor);
  // Frees the tensor of a constant. REQUIRES: nothing reads the value.
  void clear_constant(ValueId id);
  // kNone if no value has the name.
  ValueId find_value(std::string_view name) const;
  // The constant tensor of a value, or nullptr (also for kNone).
  const Tensor* constant(ValueId id) const;

  // --- edges
  // The node that computes the value; kNone for inputs and constants.
  NodeId producer(ValueId id) const { return values_[index(id)].producer; }
  // The nodes that read the value, once per use.
  const std::vector<NodeId>& consumers(ValueId id) const { return values_[index(id)].consumers; }
  bool is_input(ValueId id) const;
  bool is_output(ValueId id) const;
  // True if exactly one node input, and no graph output, reads the value.
  bool has_single_use(ValueId id) const { return consumers(id).size() == 1 && !is_output(id); }

  // --- nodes
  // An empty name becomes <OpType>_<id>; a name that is taken gets a number behind it; empty origins become {name}.
  // Throws Error(kInvalidModel) if an output already has a producer.
  NodeId add_node(Node node);
  void remove_node(NodeId id);
  // Ids run from 0 to node_limit() - 1; some may be removed.
  NodeId node_limit() const { return static_cast<NodeId>(nodes_.size()); }
  bool has_node(NodeId id) const { return nodes_[static_cast<size_t>(id)].has_value(); }
  const Node& node(NodeId id) const { return *nodes_[static_cast<size_t>(id)]; }
  int num_nodes() const { return num_nodes_; }
  // kNone if no node has the name.
  NodeId find_node(std::string_view name) const;
  Attributes& attributes(NodeId id) { return nodes_[static_cast<size_t>(id)]->attributes; }
  void set_op_type(NodeId id, std::string op_type, std::string domain = "");
  void add_origins(NodeId id, const std::vector<std::string>& origins);
  // Grows the input list with kNone as needed.
  void set_input(NodeId id, int input, ValueId value);
  void set_output(NodeId id, int output, ValueId value);
  // Drops trailing inputs.
  void truncate_inputs(NodeId id, int count);
  // Every node input and graph output that is `from` becomes `to`.
  void replace_uses(ValueId from, ValueId to);

  // Node ids so that producers come before consumers, otherwise in order of insertion.
  // Throws Error(kInvalidModel) naming a node that is on a cycle or reads from one.
  std::vector<NodeId> topological_order() const;
  // Drops removed nodes and unused values, and orders nodes topologically; ids change.
  void compact();

 private:
  struct ValueEntry {
    Value value;
    NodeId producer = kNone;
    std::vector<NodeId> consumers;
  };

  static size_t index(ValueId id) { return static_cast<size_t>(id); }
  void drop_use(ValueId value, NodeId node);
  bool is_in_order() const;

  std::vector<ValueEntry> values_;
  std::vector<std::optional<Node>> nodes_;
  NameIndex value_names_, node_names_;
  int num_nodes_ = 0;
};

// Checks what every Graph must obey: inputs and outputs that exist, once each; for whatever is read an input, a
// constant or a producer, and only one of these; no cycle; captures that match. Throws Error(kInvalidModel) naming the
// node. Run after import and, in builds with assertions, after every pass.
void verify(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRAPH_GRAPH_H_
