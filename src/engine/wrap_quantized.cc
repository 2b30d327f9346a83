#include "engine/wrap_quantized.h"

#include <algorithm>
#include <map>
#include <variant>

#include "base/cancellation.h"
#include "dialect/dequantized_pool_node.h"
#include "dialect/quantized_body_node.h"
#include "engine/float_chain.h"
#include "ops/independent_dims.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Nodes one behind the other, each the only reader of the one before, and who reads the result.
struct Chain {
  std::vector<NodeId> nodes;
  ValueId result = kNone;
  std::vector<NodeId> quantizers;
  bool needs_float = false;
};

// The integers behind a float value; nothing where they are constant or no tensor with one scale.
std::optional<QuantizedEdge> integers_behind(const Graph& graph, ValueId id) {
  auto edge = id == kNone ? std::nullopt : dequantized_tensor(graph, id);
  if (edge && graph.constant(edge->integers) != nullptr) edge.reset();
  return edge;
}

bool reads_integers(const Graph& graph, const Node& node) {
  return std::ranges::any_of(node.inputs, [&](ValueId id) { return integers_behind(graph, id).has_value(); });
}

bool can_be_inside(const Node& node) {
  const Effect effect = traits_of(node).effect;
  const bool multiplies = effect == Effect::kProducts || effect == Effect::kOtherProducts;
  if (!node.domain.empty() || multiplies || effect == Effect::kConverts) return false;
  for (const auto& [name, attribute] : node.attributes) {
    if (std::holds_alternative<std::shared_ptr<const Graph>>(attribute)) return false;
  }
  return node.output(0) != kNone &&
         std::ranges::all_of(node.outputs.begin() + 1, node.outputs.end(), [](ValueId id) { return id == kNone; });
}

// Whether a chain may begin here: at integers, or where rows of a float tensor can be quantized while they are in the
// cache. Element-wise operators on float tensors belong to what is before them.
bool can_begin(const Graph& graph, const Node& node) {
  return can_be_inside(node) && (reads_integers(graph, node) || works_on_rows(node));
}

Chain follow(const Graph& graph, const ChainFinder& chains, NodeId first) {
  Chain chain{{first}, graph.node(first).output(0), {}, false};
  while (graph.has_single_use(chain.result) && !chains.is_watched(chain.result)) {
    const NodeId next = graph.consumers(chain.result)[0];
    if (!can_be_inside(graph.node(next))) break;
    chain.nodes.push_back(next);
    chain.result = graph.node(next).output(0);
  }
  const Readers readers = readers_of(graph, chain.result);
  chain.quantizers = readers.quantizers;
  chain.needs_float = readers.needs_float || chains.is_watched(chain.result);
  return chain;
}

// Copies nodes of a graph into a body, with the constants they read; what else they read becomes inputs.
class BodyBuilder {
 public:
  explicit BodyBuilder(const Graph& graph) : graph_(graph) {}

  Graph body;
  std::vector<ValueId> inputs;  // of the node that holds the body

  // Returns the output of the copy.
  ValueId copy(NodeId id) {
    const Node& given = graph_.node(id);
    Node node = given;
    for (ValueId& input : node.inputs) input = value(input);
    const ValueId output = body.add_value(graph_.value(given.output(0)).name);
    node.outputs = {output};
    values_.emplace(given.output(0), output);
    body.add_node(std::move(node));
    return output;
  }

 private:
  ValueId value(ValueId outer) {
    if (outer == kNone) return kNone;
    if (const auto it = values_.find(outer); it != values_.end()) return it->second;
    if (integers_behind(graph_, outer)) return copy(graph_.producer(outer));
    const Value& given = graph_.value(outer);
    const ValueId inner = given.constant ? body.add_constant(given.name, *given.constant) : body.add_value(given.name);
    values_.emplace(outer, inner);
    if (!given.constant) {
      body.inputs.push_back(inner);
      inputs.push_back(outer);
    }
    return inner;
  }

  const Graph& graph_;
  std::map<ValueId, ValueId> values_;  // from the graph to the body
};

// DQ(q) -> GlobalAveragePool  =>  the dialect's GlobalAveragePool(q), which has not to dequantize a map whole.
void join_dequantize(Graph& body) {
  for (NodeId id : body.topological_order()) {
    if (!body.node(id).is(op::kGlobalAveragePool)) continue;
    const ValueId x = body.node(id).inputs[0];
    const NodeId dequantize = body.producer(x);
    if (dequantize == kNone || !body.node(dequantize).is(op::kDequantizeLinear) || !body.has_single_use(x)) continue;
    const Node& read = body.node(dequantize);
    Node pool = body.node(id);
    DequantizedPoolNode{read.input(0), read.input(1), read.input(2)}.write(pool);
    body.remove_node(dequantize);
    for (size_t i = 0; i < pool.inputs.size(); ++i) body.set_input(id, static_cast<int>(i), pool.inputs[i]);
    body.set_op_type(id, pool.op_type, pool.domain);
  }
}

void replace(Graph& graph, const Chain& chain) {
  BodyBuilder builder(graph);
  Node node;
  QuantizedBodyNode quantized;
  node.name = graph.node(chain.nodes[0]).name;
  ValueId result = kNone;
  for (NodeId id : chain.nodes) {
    const Node& inner = graph.node(id);
    result = builder.copy(id);
    quantized.op_type += (quantized.op_type.empty() ? "" : " ") + inner.op_type;
    node.origins.insert(node.origins.end(), inner.origins.begin(), inner.origins.end());
  }
  const auto add_output = [&](ValueId inner, ValueId outer) {
    builder.body.outputs.push_back({builder.body.value(inner).name, inner});
    node.outputs.push_back(outer);
  };
  for (NodeId id : chain.quantizers) add_output(builder.copy(id), graph.node(id).output(0));
  if (chain.needs_float) add_output(result, chain.result);
  quantized.inputs = builder.inputs;
  join_dequantize(builder.body);
  quantized.body = std::make_shared<const Graph>(std::move(builder.body));
  quantized.write(node);
  for (NodeId id : chain.quantizers) graph.remove_node(id);
  for (NodeId id : chain.nodes) graph.remove_node(id);
  graph.add_node(std::move(node));
}

}  // namespace

int wrap_quantized(Graph& graph, const ChainFinder& chains) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.has_node(id) || !can_begin(graph, graph.node(id))) continue;
    throw_if_cancelled();
    const Chain chain = follow(graph, chains, id);
    if (chain.quantizers.empty()) continue;
    replace(graph, chain);
    ++count;
  }
  return count;
}

}  // namespace twofold
