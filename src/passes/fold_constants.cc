#include "passes/fold_constants.h"

#include <algorithm>
#include <memory>

#include "base/cancellation.h"
#include "base/error.h"
#include "dialect/registry.h"
#include "loops/layout.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

constexpr size_t kMaxGrowth = size_t{64} << 20;

// Hands out heap memory up to a limit.
class LimitedAllocator final : public Allocator {
 public:
  explicit LimitedAllocator(size_t limit) : left_(limit) {}

  std::shared_ptr<std::byte> allocate(size_t bytes) override {
    if (bytes > left_) throw_error(ErrorCode::kResourceExhausted, "the constant is too large to fold");
    left_ -= bytes;
    Tensor tensor(DType::kUInt8, {static_cast<int64_t>(bytes)});
    std::byte* data = tensor.mutable_bytes();
    return {data, [owner = std::make_shared<Tensor>(std::move(tensor))](std::byte*) {}};
  }

 private:
  size_t left_;
};

bool may_fold(const Graph& graph, const Node& node) {
  if (!node.domain.empty() || find_op("", node.op_type) == nullptr) return false;
  if (!traits_of(node).folds) return false;
  for (const auto& [name, attribute] : node.attributes) {
    if (std::holds_alternative<std::shared_ptr<const Graph>>(attribute)) return false;
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&graph](ValueId id) { return id == kNone || graph.constant(id) != nullptr; });
}

// Bytes of the constants that nothing reads once the node is gone.
size_t bytes_freed(const Graph& graph, const Node& node) {
  size_t bytes = 0;
  for (ValueId id : node.inputs) {
    if (id != kNone && graph.has_single_use(id)) bytes += graph.constant(id)->byte_size();
  }
  return bytes;
}

// The node's outputs; empty where it cannot be run within `limit` bytes.
std::vector<Tensor> evaluate(const Graph& graph, const Node& node, size_t limit) {
  KernelArgs args{node, {}, nullptr};
  for (ValueId id : node.inputs) args.constants.push_back(graph.constant(id));
  std::vector<Tensor> outputs(node.outputs.size());
  LimitedAllocator allocator(limit);
  try {
    OpCall call(node, args.constants, outputs, &allocator);
    make_kernel(args)->run(call);
  } catch (const Error&) {
    return {};
  }
  size_t bytes = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == kNone) continue;
    if (!outputs[i].defined()) return {};
    outputs[i] = to_layout(outputs[i], Layout::kPlain);
    bytes += outputs[i].byte_size();
  }
  return bytes <= limit ? outputs : std::vector<Tensor>{};
}

}  // namespace

int fold_constants(Graph& graph) {
  int folded = 0;
  size_t growth_left = kMaxGrowth;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!may_fold(graph, node)) continue;
    throw_if_cancelled();
    const size_t freed = bytes_freed(graph, node);
    std::vector<Tensor> results = evaluate(graph, node, growth_left + freed);
    if (results.empty()) continue;
    const std::vector<ValueId> inputs = node.inputs, outputs = node.outputs;
    graph.remove_node(id);
    size_t made = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == kNone) continue;
      made += results[i].byte_size();
      graph.set_constant(outputs[i], std::move(results[i]));
    }
    growth_left -= made > freed ? made - freed : 0;
    for (ValueId input : inputs) {
      if (input != kNone && graph.consumers(input).empty() && !graph.is_output(input)) graph.clear_constant(input);
    }
    ++folded;
  }
  return folded;
}

}  // namespace twofold
