#include "engine/lowered_node.h"

#include <algorithm>

#include "dialect/domain.h"
#include "dialect/product_node.h"
#include "dialect/quantized_body_node.h"
#include "dialect/recurrence_node.h"
#include "dialect/stored_outputs.h"
#include "dialect/table_node.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

bool is_lowered(const Node& node) { return node.domain == kDialect; }

bool dequantizes_inside(const Node& node) {
  const std::shared_ptr<const Graph> body = QuantizedBodyNode::read(node).body;
  return std::ranges::any_of(body->topological_order(), [&](NodeId id) {
    return body->node(id).is(op::kDequantizeLinear) || is_lowered(body->node(id));
  });
}

// Whether output `i` of a lowered operator or QuantizeLinear holds integers, not float32.
bool gives_integers(const Node& node, size_t i) {
  if (QuantizedBodyNode::is(node)) {
    const std::shared_ptr<const Graph> body = QuantizedBodyNode::read(node).body;
    return body->node(body->producer(body->outputs[i].value)).is(op::kQuantizeLinear);
  }
  if (!is_lowered(node) || RecurrenceNode::is(node)) return node.is(op::kQuantizeLinear);
  const std::vector<StoredForm> forms = stored_outputs(node);
  return i >= forms.size() || forms[i].dtype != DType::kFloat32;
}

// Whether the node reads integers that a quantized tensor is made of.
bool reads_quantized(const Node& node, const std::vector<bool>& quantized) {
  return std::ranges::any_of(node.inputs,
                             [&](ValueId id) { return id != kNone && quantized[static_cast<size_t>(id)]; });
}

bool reads_dequantized(const Graph& graph, const Node& node) {
  return std::ranges::any_of(node.inputs, [&](ValueId id) {
    const NodeId producer = id == kNone ? kNone : graph.producer(id);
    return producer != kNone && graph.node(producer).is(op::kDequantizeLinear);
  });
}

}  // namespace

std::string_view to_string(LoweredKind kind) {
  switch (kind) {
    case LoweredKind::kInteger: return "integer";
    case LoweredKind::kTable: return "table";
    case LoweredKind::kMoved: return "moved";
    case LoweredKind::kQuantized: return "quantized";
    case LoweredKind::kConversion: return "conversion";
    case LoweredKind::kFloat: break;
  }
  return "float";
}

std::vector<LoweredNode> describe_lowered(const Graph& lowered, const FloatReasons& reasons) {
  std::vector<bool> quantized(static_cast<size_t>(lowered.num_values()), false);
  std::vector<LoweredNode> result;
  for (NodeId id : lowered.topological_order()) {
    const Node& node = lowered.node(id);
    LoweredNode entry{id, LoweredKind::kFloat, ""};
    if (RecurrenceNode::is(node)) {
      entry.why = "its state is float32; W·X is an integer product in front";
    } else if (is_lowered(node)) {
      entry.kind = TableNode::is(node) ? LoweredKind::kTable : LoweredKind::kInteger;
      entry.ec_passes = ec_passes(node);
    } else if (QuantizedBodyNode::is(node) && dequantizes_inside(node)) {
      entry.kind = LoweredKind::kQuantized;
      entry.why = "integers in and out, float32 inside";
    } else if (node.is(op::kQuantizeLinear) || node.is(op::kDequantizeLinear)) {
      entry.kind = LoweredKind::kConversion;
    } else if (!QuantizedBodyNode::is(node) && reads_quantized(node, quantized)) {
      entry.kind = LoweredKind::kMoved;
    } else if (const auto it = reasons.find(node.name); it != reasons.end()) {
      entry.why = it->second;
    } else {
      entry.why = reads_dequantized(lowered, node) ? "has no integer form" : "its inputs are not quantized";
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId output = node.outputs[i];
      if (output == kNone) continue;
      quantized[static_cast<size_t>(output)] = entry.kind == LoweredKind::kMoved || gives_integers(node, i);
    }
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace twofold
