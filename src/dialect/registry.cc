#include "dialect/registry.h"

#include <map>
#include <set>

#include "dialect/families.h"
#include "dialect/quantized_body.h"
#include "dialect/quantized_body_node.h"
#include "ops/families.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Every family; a new file of operators is added here.
constexpr std::span<const OpDef> (*kFamilies[])() = {
    dequantized_pool_ops,
    ec_quantize_ops,
    elementwise_ops,
    table_ops,
    integer_conv_transpose_ops,
    integer_conv_ops,
    integer_matmul_ops,
    recurrence_ops,
    quantize_linear_ops,
    shape_ops,
    constant_ops,
    transpose_ops,
    concat_ops,
    slice_ops,
    expand_ops,
    pad_ops,
    gather_ops,
    unary_ops,
    binary_ops,
    pow_ops,
    compare_ops,
    reduce_ops,
    scan_axis_ops,
    softmax_ops,
    normalization_ops,
    channel_normalization_ops,
    cast_ops,
    conv_ops,
    conv_transpose_ops,
    matmul_ops,
    conv_integer_ops,
    matmul_integer_ops,
    gemm_ops,
    pool_ops,
    global_pool_ops,
    max_unpool_ops,
    resize_ops,
    scatter_ops,
    depth_to_space_ops,
    topk_ops,
    select_ops,
    unique_ops,
    control_flow_ops,
    non_max_suppression_ops,
    einsum_ops,
    rnn_ops,
    grid_sample_ops,
    roi_align_ops,
};

using OpTable = std::map<std::pair<std::string_view, std::string_view>, const OpDef*>;

const OpTable& op_table() {
  static const OpTable table = [] {
    OpTable built;
    for (const auto& family : kFamilies) {
      for (const OpDef& op : family()) built.emplace(std::pair(op.domain, op.op_type), &op);
    }
    return built;
  }();
  return table;
}

// Of every node in its domain, whose op_type only says what is inside.
constexpr OpDef kQuantizedOp = {.make = make_quantized_body, .any_layout = true, .domain = kQuantizedDomain};

// The kernel of an operator that prepares nothing.
class FunctionKernel final : public Kernel {
 public:
  explicit FunctionKernel(void (*run)(OpCall&)) : run_(run) {}
  void run(OpCall& call) const override { run_(call); }

 private:
  void (*run_)(OpCall&);
};

std::string qualified(const Node& node) {
  return node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
}

// What to do instead; empty where there is nothing to say.
std::string advice(const Node& node) {
  const int opset = traits_of(node).opset;
  if (opset > 0) return fmt::format("came with opset {}: export the model with opset {} or earlier", opset, opset - 1);
  if (node.op_type.starts_with("DynamicQuantize")) return "quantizes while it runs: give the float model instead";
  return "";
}

void collect_missing(const Graph& graph, std::map<std::string, std::string>& missing) {
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (find_op(node.domain, node.op_type) == nullptr) {
      const std::string hint = advice(node);
      missing.emplace(qualified(node), fmt::format("node '{}'{}{}", node.name, hint.empty() ? "" : ", ", hint));
    }
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute)) collect_missing(**body, missing);
    }
  }
}

}  // namespace

const OpDef* find_op(std::string_view domain, std::string_view op_type) {
  if (domain == kQuantizedDomain) return &kQuantizedOp;
  const auto it = op_table().find({domain, op_type});
  return it == op_table().end() ? nullptr : it->second;
}

std::vector<const OpDef*> all_ops() {
  std::vector<const OpDef*> ops;
  for (const auto& [name, op] : op_table()) ops.push_back(op);
  return ops;
}

std::unique_ptr<Kernel> make_kernel(const KernelArgs& args) {
  const OpDef* op = find_op(args.node.domain, args.node.op_type);
  if (op == nullptr) {
    throw_error(ErrorCode::kUnsupported, "node '{}': operator {} is not supported", args.node.name,
                qualified(args.node));
  }
  if (op->make != nullptr) return op->make(args);
  return std::make_unique<FunctionKernel>(op->run);
}

std::vector<std::string> missing_operators(const Graph& graph) {
  std::map<std::string, std::string> missing;  // operator -> the first node that has it, and advice
  collect_missing(graph, missing);
  std::vector<std::string> list;
  for (const auto& [op, node] : missing) list.push_back(fmt::format("{} ({})", op, node));
  return list;
}

void check_operators(const Graph& graph) {
  const std::vector<std::string> missing = missing_operators(graph);
  if (missing.empty()) return;
  throw_error(ErrorCode::kUnsupported, "the model has {} operator{} that Twofold does not support: {}", missing.size(),
              missing.size() == 1 ? "" : "s", fmt::join(missing, ", "));
}

}  // namespace twofold
