#include "quantize/compare.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ops/layout.h"
#include "quantize/runnable.h"

namespace twofold {

namespace {

template <typename T>
Tensor converted(const Tensor& tensor) {
  Tensor result(DType::kFloat32, tensor.shape());
  std::transform(tensor.data<T>().begin(), tensor.data<T>().end(), result.mutable_data<float>().begin(),
                 [](T v) { return static_cast<float>(v); });
  return result;
}

void add_sample(const std::string& name, const Tensor& a, const Tensor& b, MetricMeans& means) {
  if (a.shape() != b.shape()) {
    throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is {} in one model and {} in the other", name,
                to_string(a.shape()), to_string(b.shape()));
  }
  ErrorSums sums;
  sums.add(as_float(a).data<float>(), as_float(b).data<float>());
  means.add(sums);
}

TensorComparison described(const Graph& graph, const std::string& tensor, ValueId value) {
  const NodeId producer = value == kNone ? kNone : graph.producer(value);
  if (producer == kNone) return {tensor, "", "", {}};
  return {tensor, graph.node(producer).name, graph.node(producer).op_type, {}};
}

// For each output of `reference` the position of its partner among those of `other`.
std::vector<size_t> match_outputs(const Graph& reference, const Graph& other) {
  std::vector<size_t> partners;
  for (size_t i = 0; i < reference.outputs.size(); ++i) {
    const auto it = std::find_if(other.outputs.begin(), other.outputs.end(),
                                 [&](const GraphOutput& output) { return output.name == reference.outputs[i].name; });
    partners.push_back(it == other.outputs.end() ? i : static_cast<size_t>(it - other.outputs.begin()));
  }
  return partners;
}

}  // namespace

Tensor as_float(const Tensor& tensor) {
  const Tensor plain = to_layout(tensor, Layout::kPlain);
  switch (plain.dtype()) {
    case DType::kFloat32: return plain;
    case DType::kFloat64: return converted<double>(plain);
    case DType::kInt8: return converted<int8_t>(plain);
    case DType::kUInt8:
    case DType::kBool: return converted<uint8_t>(plain);
    case DType::kInt16: return converted<int16_t>(plain);
    case DType::kUInt16: return converted<uint16_t>(plain);
    case DType::kInt32: return converted<int32_t>(plain);
    case DType::kUInt32: return converted<uint32_t>(plain);
    case DType::kInt64: return converted<int64_t>(plain);
    case DType::kUInt64: return converted<uint64_t>(plain);
    default: throw_error(ErrorCode::kUnsupported, "outputs of type {} cannot be compared", to_string(tensor.dtype()));
  }
}

Comparison compare(const Graph& reference, const Graph& other, const Dataset& data, const CompareOptions& options) {
  if (reference.outputs.size() != other.outputs.size() || reference.inputs.size() != other.inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument,
                "the models do not match: {} inputs and {} outputs against {} inputs and {} outputs",
                reference.inputs.size(), reference.outputs.size(), other.inputs.size(), other.outputs.size());
  }
  std::set<std::string> watch;
  if (options.inner_tensors) {
    const std::set<std::string> a = computed_tensors(reference), b = computed_tensors(other);
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(watch, watch.end()));
  }
  const Runnable runnable_b(other, options.threads, watch);
  const Runnable runnable_a(reference, options.threads, runnable_b.watched());
  const std::set<std::string> common = runnable_a.watched();
  const std::vector<size_t> partners = match_outputs(reference, other);

  Comparison result;
  for (const GraphOutput& output : reference.outputs) {
    result.outputs.push_back(described(reference, output.name, output.value));
  }
  std::map<std::string, MetricMeans> means;
  const int64_t samples = options.max_samples > 0 ? std::min(options.max_samples, data.size()) : data.size();
  for (int64_t s = 0; s < samples; ++s) {
    const std::vector<Tensor> inputs = data.sample(s);
    std::map<std::string, Tensor> expected;
    const std::vector<Tensor> a =
        runnable_a.run(inputs, [&](const std::string& name, const Tensor& tensor) { expected.emplace(name, tensor); });
    const std::vector<Tensor> b = runnable_b.run(inputs, [&](const std::string& name, const Tensor& tensor) {
      const auto it = expected.find(name);
      if (it == expected.end() || it->second.dtype() != DType::kFloat32) return;
      add_sample(name, it->second, tensor, means[name]);
      expected.erase(it);
    });
    for (size_t i = 0; i < a.size(); ++i) {
      add_sample(result.outputs[i].tensor, a[i], b[partners[i]], result.outputs[i].metrics);
    }
    if (options.progress) options.progress(s + 1, samples);
  }
  for (NodeId id : reference.topological_order()) {
    for (ValueId output : reference.node(id).outputs) {
      if (output == kNone) continue;
      const auto it = means.find(reference.value(output).name);
      if (it == means.end()) continue;
      result.tensors.push_back(described(reference, it->first, output));
      result.tensors.back().metrics = it->second;
    }
  }
  return result;
}

}  // namespace twofold
