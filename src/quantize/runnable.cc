#include "quantize/runnable.h"

#include "loops/layout.h"

namespace twofold {

namespace {

// The integers of a float tensor under one QuantizeLinear, by the name they keep through lowering.
struct IntegerForm {
  std::string integers;
  QuantizedEdge edge;
};

std::optional<IntegerForm> integer_form(const Graph& graph, ValueId real) {
  for (NodeId reader : graph.consumers(real)) {
    const std::optional<QuantizedEdge> edge = quantized_edge(graph, reader);
    if (edge && edge->axis < 0) return IntegerForm{graph.value(edge->integers).name, *edge};
  }
  return std::nullopt;
}

}  // namespace

Runnable::Runnable(const Graph& graph, int threads, const LowerOptions& lowering) : graph_(graph) {
  std::map<std::string, IntegerForm> forms;
  for (const std::string& name : lowering.watched) {
    const ValueId value = graph.find_value(name);
    if (value == kNone) continue;
    if (const auto form = integer_form(graph, value)) forms.emplace(name, *form);
  }
  lower(graph_, lowering);
  std::vector<ValueId> ids;
  for (const std::string& name : lowering.watched) {
    ValueId id = graph_.find_value(name);
    std::optional<QuantizedEdge> edge;
    const auto form = forms.find(name);
    if ((id == kNone || graph_.producer(id) == kNone) && form != forms.end()) {
      id = graph_.find_value(form->second.integers);
      edge = form->second.edge;
    }
    if (id == kNone || graph_.producer(id) == kNone) continue;
    watched_.emplace(id, Watched{name, edge});
    ids.push_back(id);
  }
  executor_ = std::make_unique<Executor>(graph_, ExecutorOptions{.threads = threads, .watched = std::move(ids)});
}

std::set<std::string> Runnable::watched() const {
  std::set<std::string> names;
  for (const auto& [id, entry] : watched_) names.insert(entry.name);
  return names;
}

std::optional<float> Runnable::step(const std::string& name) const {
  for (const auto& [id, entry] : watched_) {
    if (entry.name == name && entry.edge) return entry.edge->scale[0];
  }
  return std::nullopt;
}

std::vector<Tensor> Runnable::run(const std::vector<Tensor>& inputs, const OnTensor& on_tensor) const {
  if (!on_tensor) return executor_->run(inputs);
  return executor_->run(inputs, [&](ValueId id, const Tensor& tensor) {
    const auto [begin, end] = watched_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      const Tensor plain = to_layout(tensor, Layout::kPlain);
      on_tensor(it->second.name, it->second.edge ? dequantized(plain, *it->second.edge) : plain);
    }
  });
}

std::set<std::string> computed_tensors(const Graph& graph) {
  std::set<std::string> names;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.is("QuantizeLinear") || node.is("DequantizeLinear")) continue;
    for (ValueId output : node.outputs) {
      if (output != kNone) names.insert(graph.value(output).name);
    }
  }
  return names;
}

}  // namespace twofold
