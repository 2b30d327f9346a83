#include "engine/float_chain.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "numeric/integer_limits.h"
#include "ops/unary_step.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Three tensors broadcast at once (loops/broadcast.h): the one that a chain begins with, and two more.
constexpr size_t kMaxOperands = 2;

std::optional<BinaryOp> binary_op(const Node& node) {
  static const std::map<std::string_view, BinaryOp> table = {
      {op::kAdd, BinaryOp::kAdd}, {op::kSub, BinaryOp::kSub}, {op::kMul, BinaryOp::kMul},    {op::kDiv, BinaryOp::kDiv},
      {op::kMax, BinaryOp::kMax}, {op::kMin, BinaryOp::kMin}, {op::kPRelu, BinaryOp::kPRelu}};
  const auto it = table.find(node.op_type);
  if (!node.domain.empty() || node.inputs.size() != 2 || it == table.end()) return std::nullopt;
  return it->second;
}

std::optional<QuantizedEdge> if_tensor(std::optional<QuantizedEdge> edge) {
  if (edge && (edge->scale.size() != 1 || !is_operand_type(edge->dtype))) edge.reset();
  return edge;
}

}  // namespace

std::optional<QuantizedEdge> dequantized_tensor(const Graph& graph, ValueId real) {
  return if_tensor(dequantized_edge(graph, real));
}

std::optional<QuantizedEdge> quantized_tensor(const Graph& graph, NodeId id) {
  return if_tensor(quantized_edge(graph, id));
}

Readers readers_of(const Graph& graph, ValueId value) {
  Readers readers{{}, graph.is_output(value)};
  for (NodeId reader : graph.consumers(value)) {
    if (quantized_tensor(graph, reader)) {
      readers.quantizers.push_back(reader);
    } else {
      readers.needs_float = true;
    }
  }
  return readers;
}

StoredForm stored_form(const QuantizedEdge& edge) { return stored_form(edge.dtype, edge.scale[0], edge.zero_point); }

ChainFinder::ChainFinder(const Graph& graph, std::vector<bool> watched)
    : graph_(graph),
      watched_(std::move(watched)),
      types_(infer_types(graph)),
      node_position_(static_cast<size_t>(graph.node_limit()), 0),
      value_position_(static_cast<size_t>(graph.num_values()), -1) {
  int64_t next = 0;
  for (NodeId id : graph.topological_order()) {
    node_position_[static_cast<size_t>(id)] = next;
    for (ValueId output : graph.node(id).outputs) {
      if (output != kNone) value_position_[static_cast<size_t>(output)] = next;
    }
    ++next;
  }
}

// Positions are those of the graph as it was. A fused node stands for the position of its first one and reads what was
// there before it; what it computes stood later. So comparing old positions never closes a cycle.
int64_t ChainFinder::position(ValueId id) const {
  return static_cast<size_t>(id) < value_position_.size() ? value_position_[static_cast<size_t>(id)]
                                                          : std::numeric_limits<int64_t>::max();
}

std::optional<FloatStep> ChainFinder::step_of(FloatChain& chain, const Node& node, ValueId value, int64_t start) const {
  if (node.input(0) == value && node.outputs.size() == 1) {
    if (const auto step = unary_step(graph_, node)) return *step;
  }
  const auto op = binary_op(node);
  if (!op || node.inputs[0] == node.inputs[1]) return std::nullopt;
  BinaryStep step{*op, node.inputs[1] == value, -1, 0};
  if (step.reversed && *op == BinaryOp::kPRelu) return std::nullopt;
  const ValueId other = node.inputs[step.reversed ? 0 : 1];
  const Tensor* constant = graph_.constant(other);
  if (constant != nullptr && constant->dtype() != DType::kFloat32) return std::nullopt;
  const auto index = static_cast<size_t>(value);
  const int rank = index < types_.size() ? types_[index].rank() : -1;
  if (constant != nullptr && constant->size() == 1 && constant->rank() <= std::max(rank, 0)) {
    step.value = constant->data<float>()[0];
    return step;
  }
  if (chain.operands.size() == kMaxOperands || (constant == nullptr && position(other) >= start)) return std::nullopt;
  const auto edge = dequantized_tensor(graph_, other);
  if (edge && graph_.constant(edge->integers) == nullptr && position(edge->integers) >= start) return std::nullopt;
  step.operand = static_cast<int>(chain.operands.size());
  chain.operands.push_back(edge ? edge->integers : other);
  chain.program.operands.push_back(edge ? stored_form(*edge) : StoredForm{});
  return step;
}

bool ChainFinder::extend(FloatChain& chain, NodeId next, int64_t start) const {
  const Node& node = graph_.node(next);
  const std::optional<FloatStep> step = step_of(chain, node, chain.result, start);
  if (!step) return false;
  chain.program.steps.push_back(*step);
  chain.nodes.push_back(next);
  chain.result = node.output(0);
  return true;
}

void ChainFinder::follow(FloatChain& chain, int64_t start) const {
  while (graph_.has_single_use(chain.result) && !is_watched(chain.result)) {
    if (!extend(chain, graph_.consumers(chain.result)[0], start)) break;
  }
  const Readers readers = readers_of(graph_, chain.result);
  chain.quantizers = readers.quantizers;
  chain.needs_float = readers.needs_float || is_watched(chain.result);
}

FloatChain ChainFinder::behind(ValueId value, NodeId start) const {
  FloatChain chain;
  chain.result = value;
  follow(chain, node_position_[static_cast<size_t>(start)]);
  return chain;
}

std::optional<FloatChain> ChainFinder::from(NodeId first, ValueId value) const {
  FloatChain chain;
  chain.result = value;
  const int64_t start = node_position_[static_cast<size_t>(first)];
  if (!extend(chain, first, start)) return std::nullopt;
  follow(chain, start);
  return chain;
}

namespace {

// A Relu at the end of a program is a bound of the integers that are stored, since rounding keeps order and 0 is the
// zero point.
void fold_last_relu(FloatProgram& program) {
  const auto* last = program.steps.size() < 2 ? nullptr : std::get_if<UnaryStep>(&program.steps.back());
  const auto is_float = [](const StoredForm& form) { return form.dtype == DType::kFloat32; };
  if (last == nullptr || last->op != UnaryOp::kRelu || std::ranges::any_of(program.outputs, is_float)) return;
  for (StoredForm& form : program.outputs) form.low = std::max(form.low, form.zero_point);
  program.steps.pop_back();
}

}  // namespace

void take_outputs(Graph& graph, FloatChain& chain, Node& node) {
  for (NodeId id : chain.quantizers) {
    const QuantizedEdge edge = *quantized_tensor(graph, id);
    chain.program.outputs.push_back(stored_form(edge));
    node.outputs.push_back(edge.integers);
  }
  if (chain.needs_float) {
    chain.program.outputs.push_back({});
    node.outputs.push_back(chain.result);
  }
  fold_last_relu(chain.program);
  for (NodeId id : chain.quantizers) graph.remove_node(id);
  for (NodeId id : chain.nodes) {
    const std::vector<std::string>& origins = graph.node(id).origins;
    node.origins.insert(node.origins.end(), origins.begin(), origins.end());
    graph.remove_node(id);
  }
}

}  // namespace twofold
