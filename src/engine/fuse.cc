#include "engine/fuse.h"

#include <algorithm>
#include <optional>

#include "engine/fuse_matmul.h"
#include "engine/shape_classes.h"
#include "infer/infer_types.h"
#include "ops/post_ops.h"
#include "ops/unary_step.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// One float32 number that is constant, whatever its rank.
std::optional<float> constant_number(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::kFloat32 || tensor->size() != 1) return std::nullopt;
  return tensor->data<float>()[0];
}

bool is_float_matrix(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 && tensor->rank() == 2 && tensor->size() > 0;
}

// Whether the node's kernel takes steps behind it (ops/post_ops.h).
bool takes_steps(const Graph& graph, const Node& node) {
  if (node.is(op::kConv) || node.is(op::kConvTranspose)) return true;
  if (node.is(op::kMatMul)) return is_float_matrix(graph.constant(node.input(1)));
  if (!node.is(op::kGemm) || node.attributes.get_int("transA", 0) != 0) return false;
  const Tensor* b = graph.constant(node.input(1));
  if (!is_float_matrix(b)) return false;
  if (node.input(2) == kNone) return true;
  const Tensor* c = graph.constant(node.input(2));
  const int64_t columns = b->dim(node.attributes.get_int("transB", 0) != 0 ? 0 : 1);
  const bool one_row = c != nullptr && (c->rank() <= 1 || (c->rank() == 2 && c->dim(0) == 1));
  return one_row && c->dtype() == DType::kFloat32 && (c->size() == columns || c->size() == 1);
}

// Fuses what follows one node, step after step.
class Fuser {
 public:
  Fuser(Graph& graph, const std::vector<InferredType>& types, const std::vector<int>& classes,
        const std::vector<bool>& watched, const std::vector<size_t>& position)
      : graph_(graph), types_(types), classes_(classes), watched_(watched), position_(position) {}

  void fuse(NodeId id) {
    FloatSteps steps;
    std::vector<ValueId> addends;
    ValueId output = graph_.node(id).output(0);
    while (graph_.has_single_use(output) && !watched_[static_cast<size_t>(output)]) {
      const NodeId next = graph_.consumers(output)[0];
      const std::optional<ValueId> after = absorb(id, next, output, steps, addends);
      if (!after) break;
      output = *after;
    }
    if (output == graph_.node(id).output(0)) return;
    graph_.set_op_type(id, graph_.node(id).op_type, std::string(kFusedDomain));
    write_steps(graph_.attributes(id), steps);
    for (size_t i = 0; i < addends.size(); ++i) graph_.set_input(id, static_cast<int>(3 + i), addends[i]);
    graph_.set_output(id, 0, output);
  }

 private:
  // Takes `next`, which reads `value`, into the steps and away from the graph; returns what it computed.
  std::optional<ValueId> absorb(NodeId id, NodeId next, ValueId value, FloatSteps& steps,
                                std::vector<ValueId>& addends) {
    const Node& node = graph_.node(next);
    std::optional<FloatStep> step = unary_step(graph_, node);
    ValueId addend = kNone;
    if (!step && (node.is(op::kAdd) || node.is(op::kMul)) && node.inputs.size() == 2) {
      const ValueId other = node.inputs[node.inputs[0] == value ? 1 : 0];
      const auto number = constant_number(graph_, other);
      const Tensor* constant = graph_.constant(other);
      if (number && constant->rank() <= std::max(rank_of(value), 1)) {
        step = BinaryStep{node.is(op::kAdd) ? BinaryOp::kAdd : BinaryOp::kMul, false, -1, *number};
      } else if (node.is(op::kAdd) && takes_addends(id) && is_ready(other, id) && have_same_shape(value, other)) {
        step = BinaryStep{BinaryOp::kAdd, false, static_cast<int>(addends.size()), 0};
        addend = other;
      }
    }
    if (step) {
      steps.push_back(*step);
      if (!onednn::post_ops(steps)) {
        steps.pop_back();
        return std::nullopt;
      }
    } else if (!steps.empty() || !take_bias(id, node, value)) {
      return std::nullopt;
    }
    if (addend != kNone) addends.push_back(addend);
    const ValueId output = node.output(0);
    graph_.remove_node(next);
    return output;
  }

  // Makes the constant row that an Add puts on a MatMul the node's bias.
  bool take_bias(NodeId id, const Node& add, ValueId value) {
    if (!add.is(op::kAdd) || graph_.node(id).op_type != op::kMatMul || graph_.node(id).input(2) != kNone) return false;
    const ValueId other = add.inputs[add.inputs[0] == value ? 1 : 0];
    const Tensor* row = graph_.constant(other);
    const int64_t columns = graph_.constant(graph_.node(id).input(1))->dim(1);
    const bool fits = row != nullptr && row->dtype() == DType::kFloat32 && row->shape() == Shape{columns};
    if (fits) graph_.set_input(id, 2, other);
    return fits;
  }

  bool have_same_shape(ValueId a, ValueId b) const {
    const InferredType &left = types_[static_cast<size_t>(a)], &right = types_[static_cast<size_t>(b)];
    if (left.is_static() && right.is_static()) return left.shape == right.shape;
    const bool channels_known = left.rank() >= 2 && right.rank() >= 2 && (*left.shape)[1] != kUnknownDim;
    return channels_known && (*left.shape)[1] == (*right.shape)[1] &&
           classes_[static_cast<size_t>(a)] == classes_[static_cast<size_t>(b)];
  }

  int rank_of(ValueId id) const { return types_[static_cast<size_t>(id)].rank(); }

  bool takes_addends(NodeId id) const { return graph_.node(id).op_type != op::kConvTranspose; }

  // Whether the value is there when the node runs.
  bool is_ready(ValueId value, NodeId node) const {
    const NodeId producer = graph_.producer(value);
    return producer == kNone || position_[static_cast<size_t>(producer)] < position_[static_cast<size_t>(node)];
  }

  Graph& graph_;
  const std::vector<InferredType>& types_;
  const std::vector<int>& classes_;
  const std::vector<bool>& watched_;
  const std::vector<size_t>& position_;
};

}  // namespace

Graph fuse_for_execution(Graph graph, const std::vector<bool>& watched) {
  const std::vector<NodeId> order = graph.topological_order();
  std::vector<size_t> position(static_cast<size_t>(graph.node_limit()), 0);
  for (size_t i = 0; i < order.size(); ++i) position[static_cast<size_t>(order[i])] = i;
  const std::vector<InferredType> types = infer_types(graph);
  const std::vector<int> classes = shape_classes(graph, types);
  fuse_matmul_orders(graph, types, watched);
  Fuser fuser(graph, types, classes, watched, position);
  for (NodeId id : order) {
    if (graph.has_node(id) && takes_steps(graph, graph.node(id))) fuser.fuse(id);
  }
  return graph;
}

}  // namespace twofold
