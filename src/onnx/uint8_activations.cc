#include "onnx/uint8_activations.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "onnx/bodies.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Operators that move integers, or pick among them by order, without looking at what they stand for.
bool is_move(const Node& node) { return moves_integers(traits_of(node)) && !traits_of(node).fills; }

bool moves_all_inputs(const Node& node) { return traits_of(node).data == DataInputs::kAll; }
int num_moved_inputs(const Node& node) { return moves_all_inputs(node) ? static_cast<int>(node.inputs.size()) : 1; }

class Uint8Activations {
 public:
  explicit Uint8Activations(Graph& graph) : graph_(graph) {
    for (ValueId i = 0; i < graph.num_values(); ++i) parent_.push_back(i);
  }

  void run() {
    for (NodeId id = 0; id < graph_.node_limit(); ++id) {
      if (graph_.has_node(id) && is_move(graph_.node(id))) join(graph_.node(id));
    }
    std::set<ValueId> fixed;
    const ValueId num_values = graph_.num_values();
    for (ValueId id = 0; id < num_values; ++id) {
      if (!comes_from_quantize(id) || !goes_to_dequantize(id)) fixed.insert(root(id));
    }
    for (ValueId id = 0; id < num_values; ++id) {
      if (!fixed.contains(root(id))) change(id);
    }
  }

 private:
  ValueId root(ValueId id) {
    while (parent_[static_cast<size_t>(id)] != id) {
      ValueId& parent = parent_[static_cast<size_t>(id)];
      parent = parent_[static_cast<size_t>(parent)];
      id = parent;
    }
    return id;
  }

  void join(const Node& node) {
    const ValueId first = node.output(0);
    if (first == kNone) return;
    for (int i = 0; i < num_moved_inputs(node); ++i) {
      if (node.input(i) != kNone) parent_[static_cast<size_t>(root(node.input(i)))] = root(first);
    }
    for (int i = 1; i < num_data_outputs(node); ++i) {
      if (node.output(i) != kNone) parent_[static_cast<size_t>(root(node.output(i)))] = root(first);
    }
  }

  bool has_int8_zero_point(const Node& node) const {
    const Tensor* zero_point = graph_.constant(node.input(2));
    return zero_point != nullptr && zero_point->dtype() == DType::kInt8;
  }

  bool comes_from_quantize(ValueId id) const {
    const NodeId producer = graph_.producer(id);
    if (producer == kNone || graph_.is_output(id)) return false;
    const Node& node = graph_.node(producer);
    if (node.is(op::kQuantizeLinear)) return has_int8_zero_point(node) && graph_.constant(node.input(0)) == nullptr;
    if (!is_move(node)) return false;
    const auto end = node.outputs.begin() + num_data_outputs(node);
    return std::find(node.outputs.begin(), end, id) != end;
  }

  bool goes_to_dequantize(ValueId id) const {
    return std::all_of(graph_.consumers(id).begin(), graph_.consumers(id).end(), [&](NodeId user) {
      const Node& node = graph_.node(user);
      if (std::count(node.inputs.begin() + 1, node.inputs.end(), id) > 0 && !moves_all_inputs(node)) return false;
      return is_move(node) || (node.is(op::kDequantizeLinear) && has_int8_zero_point(node));
    });
  }

  void change(ValueId id) {
    TensorType type = graph_.value(id).type;
    type.dtype = DType::kUInt8;
    graph_.set_type(id, std::move(type));
    const NodeId producer = graph_.producer(id);
    if (graph_.node(producer).is(op::kQuantizeLinear)) shift_zero_point(producer);
    for (NodeId user : graph_.consumers(id)) {
      if (graph_.node(user).is(op::kDequantizeLinear)) shift_zero_point(user);
    }
  }

  void shift_zero_point(NodeId id) {
    graph_.attributes(id).erase("output_dtype");
    const ValueId old = graph_.node(id).input(2);
    const auto [it, fresh] = shifted_.try_emplace(old, kNone);
    if (fresh) {
      const Tensor& zero_point = *graph_.constant(old);
      Tensor shifted(DType::kUInt8, zero_point.shape());
      std::span<uint8_t> out = shifted.mutable_data<uint8_t>();
      const std::span<const int8_t> in = zero_point.data<int8_t>();
      for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<uint8_t>(in[i] + 128);
      it->second = graph_.add_constant(graph_.unique_value_name(graph_.value(old).name + "_uint8"), std::move(shifted));
    }
    graph_.set_input(id, 2, it->second);
  }

  Graph& graph_;
  std::vector<ValueId> parent_;         // sets of values that hold the same integers
  std::map<ValueId, ValueId> shifted_;  // zero points by the int8 one
};

}  // namespace

void use_uint8_activations(Graph& graph) {
  Uint8Activations(graph).run();
  change_bodies(graph, use_uint8_activations);
}

}  // namespace twofold
