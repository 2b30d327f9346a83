#include "engine/fuse_matmul.h"

#include <optional>
#include <string>

#include "ops/float_steps.h"
#include "ops/fused_matmul.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// The permutation of a Transpose node that names one.
std::vector<int64_t> order_of(const Node& node) {
  return node.is(op::kTranspose) ? node.attributes.get_ints("perm", {}) : std::vector<int64_t>();
}

class MatMulFuser {
 public:
  MatMulFuser(Graph& graph, const std::vector<InferredType>& types, const std::vector<bool>& watched)
      : graph_(graph), types_(types), watched_(watched) {}

  void fuse(NodeId id) {
    FusedMatMul form;
    bool changed = take_input(id, 0, form.orders.a);
    changed |= take_input(id, 1, form.orders.b);
    if (rank(graph_.node(id).input(0)) >= 2 && rank(graph_.node(id).input(1)) >= 2) changed |= take_outputs(id, form);
    if (!changed) return;
    form.write(graph_.attributes(id));
    graph_.set_op_type(id, op::kMatMul, std::string(kFusedDomain));
  }

 private:
  int rank(ValueId id) const { return types_[static_cast<size_t>(id)].rank(); }

  bool is_hidden(ValueId id) const { return graph_.has_single_use(id) && !watched_[static_cast<size_t>(id)]; }

  // Both return whether they took something.
  bool take_input(NodeId id, int input, std::vector<int64_t>& taken) {
    const ValueId value = graph_.node(id).input(input);
    const NodeId producer = graph_.producer(value);
    if (producer == kNone || !is_hidden(value)) return false;
    const std::vector<int64_t> order = order_of(graph_.node(producer));
    const auto last = static_cast<int64_t>(order.size()) - 1;
    if (order.size() < 2 || (order[order.size() - 1] != last && order[order.size() - 2] != last)) return false;
    graph_.set_input(id, input, graph_.node(producer).input(0));
    graph_.remove_node(producer);
    taken = order;
    return true;
  }

  // A constant factor that a Mul or Div applies to `value`.
  std::optional<float> factor(const Node& node, ValueId value) const {
    const bool product = node.is(op::kMul);
    if ((!product && !node.is(op::kDiv)) || node.inputs.size() != 2) return std::nullopt;
    const int other = node.inputs[0] == value ? 1 : 0;
    const Tensor* constant = graph_.constant(node.input(other));
    if (constant == nullptr || constant->size() != 1 || constant->rank() > 1) return std::nullopt;
    if (constant->dtype() != DType::kFloat32 || (!product && other == 0)) return std::nullopt;
    const float number = constant->data<float>()[0];
    return product ? number : 1.0F / number;
  }

  bool take_outputs(NodeId id, FusedMatMul& form) {
    bool changed = false;
    while (is_hidden(graph_.node(id).output(0))) {
      const ValueId value = graph_.node(id).output(0);
      const NodeId next = graph_.consumers(value)[0];
      const Node& node = graph_.node(next);
      const std::vector<int64_t> order = order_of(node);
      if (const std::optional<float> scale = factor(node, value)) {
        form.alpha *= *scale;
      } else if (form.orders.y.empty() && !order.empty() && order.back() == static_cast<int64_t>(order.size()) - 1) {
        form.orders.y = order;
      } else {
        break;
      }
      const ValueId output = node.output(0);
      graph_.remove_node(next);
      graph_.set_output(id, 0, output);
      changed = true;
    }
    return changed;
  }

  Graph& graph_;
  const std::vector<InferredType>& types_;
  const std::vector<bool>& watched_;
};

}  // namespace

void fuse_matmul_orders(Graph& graph, const std::vector<InferredType>& types, const std::vector<bool>& watched) {
  MatMulFuser fuser(graph, types, watched);
  for (NodeId id : graph.topological_order()) {
    if (!graph.has_node(id) || !graph.node(id).is(op::kMatMul)) continue;
    if (graph.constant(graph.node(id).input(1)) == nullptr) fuser.fuse(id);
  }
}

}  // namespace twofold
