#include "debug/output_sweep.h"

#include <fmt/format.h>

#include <array>

#include "loops/layout.h"

namespace twofold {

namespace {

Graph with_output(const Graph& graph, size_t output) {
  Graph result = graph;
  result.outputs = {graph.outputs[output]};
  return result;
}

std::set<ValueId> ancestors(const Graph& graph, ValueId of) {
  std::set<ValueId> seen = {of};
  std::vector<ValueId> open = {of};
  while (!open.empty()) {
    const NodeId producer = graph.producer(open.back());
    open.pop_back();
    if (producer == kNone) continue;
    for (const ValueId input : graph.node(producer).inputs) {
      if (input != kNone && seen.insert(input).second) open.push_back(input);
    }
  }
  return seen;
}

// In a fixed order: element i goes to sum i % kLanes.
double dot(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kLanes = 16;
  std::array<double, kLanes> sums{};
  const size_t whole = a.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  }
  for (size_t i = whole; i < a.size(); ++i) sums[i - whole] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

}  // namespace

OutputSweep::OutputSweep(const Graph& graph, size_t output, std::map<ValueId, Shape> shapes,
                         const std::set<ValueId>& wanted)
    : shapes_(std::move(shapes)), wanted_(wanted), above_(ancestors(graph, graph.outputs[output].value)) {
  if (wanted_.empty()) return;
  const Graph forward = with_output(graph, output);
  backward_ = backward_of(forward, shapes_, wanted_);
  for (const auto& [id, why] : backward_.without_rule) {
    const Node& node = graph.node(id);
    without_rule_ +=
        fmt::format("{}node '{}' ({}): {}", without_rule_.empty() ? "" : "; ", node.name, node.op_type, why);
  }
  std::vector<ValueId> watched;
  for (const auto& [value, position] : backward_.gradients) {
    const ValueId gradient = backward_.graph.outputs[position].value;
    if (!gradients_.contains(gradient)) watched.push_back(gradient);
    gradients_.emplace(gradient, value);
  }
  if (watched.empty()) return;
  // Nobody reads them: each goes as soon as it has been looked at.
  backward_.graph.outputs.clear();
  executor_ = std::make_unique<Executor>(backward_.graph, ExecutorOptions{.threads = 1, .watched = watched});
}

std::string OutputSweep::flaw(ValueId value) const {
  if (!above_.contains(value)) return {};
  if (backward_.incomplete.contains(value)) return without_rule_;
  if (backward_.gradients.contains(value)) return {};
  return "the output changes in steps only";
}

std::vector<double> OutputSweep::project(const SampleValues& values, const std::vector<LocalError>& errors,
                                         const Tensor& cotangent, size_t units) const {
  std::vector<double> projections(units, 0.0);
  if (executor_ == nullptr) return projections;
  std::multimap<ValueId, const LocalError*> of_value;
  for (const LocalError& error : errors) of_value.emplace(error.value, &error);
  std::vector<Tensor> inputs;
  for (const ValueId id : backward_.forward) inputs.push_back(values.at(id));
  inputs.push_back(cotangent);
  // By error, not as they come: a sum does not depend on the order in which gradients do.
  std::map<const LocalError*, double> products;
  executor_->run(inputs, [&](ValueId id, const Tensor& gradient) {
    const auto [begin, end] = gradients_.equal_range(id);
    for (auto value = begin; value != end; ++value) {
      const auto [first, last] = of_value.equal_range(value->second);
      for (auto entry = first; entry != last; ++entry) {
        const Tensor& error = entry->second->error;
        products[entry->second] = dot(to_layout(gradient, error.layout()).data<float>(), error.data<float>());
      }
    }
  });
  for (const LocalError& error : errors) {
    if (const auto it = products.find(&error); it != products.end()) projections[error.unit] += it->second;
  }
  return projections;
}

}  // namespace twofold
