#include <map>
#include <set>

#include "base/cancellation.h"
#include "debug/moment_sums.h"
#include "debug/operand_statistics.h"
#include "engine/lowered_model.h"
#include "loops/layout.h"
#include "quantize/compare.h"

namespace twofold {

namespace {

struct Collected {
  MomentSums before, after;
  ErrorSums error;
  Shape shape;
};

// The names of all tensors that nodes compute.
std::set<std::string> names_of(const Graph& graph) {
  std::set<std::string> names;
  for (const NodeId id : graph.topological_order()) {
    for (const ValueId output : graph.node(id).outputs) {
      if (output != kNone) names.insert(graph.value(output).name);
    }
  }
  return names;
}

void collect(const Tensor& before, const Tensor& after, Collected& collected) {
  const Tensor b = to_layout(as_float(after), before.layout());
  if (collected.before.count == 0) collected.shape = before.shape();
  collected.before.add(before.data<float>());
  collected.after.add(b.data<float>());
  collected.error.add(before.data<float>(), b.data<float>());
}

}  // namespace

std::vector<ComputedTensor> computed_tensors(CalibratedModel& model, const Plan& plan) {
  const Graph& graph = model.graph();
  const LoweredModel quantized(model.apply(plan), {.threads = model.threads(), .observed = names_of(graph)});
  const LoweredModel reference(graph, {.threads = model.threads(), .observed = quantized.readable()});
  std::map<std::string, Collected> collected;
  SearchSamples& samples = model.samples();
  for (size_t i = 0; i < samples.size(); ++i) {
    throw_if_cancelled();
    std::map<std::string, Tensor> expected;
    reference.run(samples.inputs(i), [&](const std::string& name, const Tensor& tensor) {
      if (tensor.dtype() == DType::kFloat32) expected.emplace(name, tensor);
    });
    quantized.run(samples.inputs(i), [&](const std::string& name, const Tensor& tensor) {
      const auto it = expected.find(name);
      if (it == expected.end() || it->second.shape() != tensor.shape()) return;
      collect(it->second, tensor, collected[name]);
      expected.erase(it);
    });
  }
  std::vector<ComputedTensor> result;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      if (node.outputs[k] == kNone) continue;
      const auto it = collected.find(graph.value(node.outputs[k]).name);
      if (it == collected.end()) continue;
      const Collected& c = it->second;
      result.push_back(
          {it->first, node.name, static_cast<int>(k), c.shape, c.before.moments(), c.after.moments(), c.error});
    }
  }
  return result;
}

}  // namespace twofold
