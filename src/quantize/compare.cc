#include "quantize/compare.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "engine/lowered_model.h"
#include "loops/layout.h"
#include "numeric/float16.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

template <typename T, typename Convert>
Tensor converted(const Tensor& tensor, const Convert& convert) {
  Tensor result(DType::kFloat32, tensor.shape(), tensor.layout());
  std::transform(tensor.data<T>().begin(), tensor.data<T>().end(), result.mutable_data<float>().begin(), convert);
  return result;
}

template <typename T>
Tensor converted(const Tensor& tensor) {
  return converted<T>(tensor, [](T v) { return static_cast<float>(v); });
}

void add_sample(const Tensor& a, const Tensor& b, TensorComparison& comparison) {
  if (a.shape() != b.shape()) {
    throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is {} in one model and {} in the other", comparison.tensor,
                to_string(a.shape()), to_string(b.shape()));
  }
  const Tensor left = as_float(a), right = to_layout(as_float(b), left.layout());
  ErrorSums sums;
  sums.add(left.data<float>(), right.data<float>());
  comparison.metrics.add(sums);
  comparison.agreement.add(left.data<float>(), right.data<float>());
}

// The scale of an output that is dequantized integers.
std::optional<float> output_step(const Graph& graph, const GraphOutput& output) {
  const auto edge = dequantized_edge(graph, output.value);
  if (!edge || edge->scale.size() != 1) return std::nullopt;
  return edge->scale[0];
}

TensorComparison described(const Graph& graph, const std::string& tensor, ValueId value) {
  const NodeId producer = value == kNone ? kNone : graph.producer(value);
  if (producer == kNone) return {tensor, "", "", {}, {}, {}};
  return {tensor, graph.node(producer).name, graph.node(producer).op_type, {}, {}, {}};
}

// For each name of `a` the position of its partner in `b`, which has as many: the same name, and of those that have no
// such partner the next that is left.
std::vector<size_t> partners(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  constexpr size_t kOpen = static_cast<size_t>(-1);
  std::vector<size_t> found(a.size(), kOpen);
  std::vector<bool> taken(b.size(), false);
  for (size_t i = 0; i < a.size(); ++i) {
    const auto it = std::find(b.begin(), b.end(), a[i]);
    if (it == b.end()) continue;
    found[i] = static_cast<size_t>(it - b.begin());
    taken[found[i]] = true;
  }
  for (size_t& position : found) {
    if (position != kOpen) continue;
    position = static_cast<size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
    taken[position] = true;
  }
  return found;
}

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (ValueId id : graph.inputs) names.push_back(graph.value(id).name);
  return names;
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphOutput& output : graph.outputs) names.push_back(output.name);
  return names;
}

// The names of all float tensors that nodes of the graph compute, apart from those that only Q/DQ handle.
std::set<std::string> computed_tensors(const Graph& graph) {
  std::set<std::string> names;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.is(op::kQuantizeLinear) || node.is(op::kDequantizeLinear)) continue;
    for (ValueId output : node.outputs) {
      if (output != kNone) names.insert(graph.value(output).name);
    }
  }
  return names;
}

}  // namespace

Tensor as_float(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32: return tensor;
    case DType::kFloat64: return converted<double>(tensor);
    case DType::kFloat16: return converted<uint16_t>(tensor, float16_to_float);
    case DType::kBFloat16: return converted<uint16_t>(tensor, bfloat16_to_float);
    case DType::kInt8: return converted<int8_t>(tensor);
    case DType::kUInt8:
    case DType::kBool: return converted<uint8_t>(tensor);
    case DType::kInt16: return converted<int16_t>(tensor);
    case DType::kUInt16: return converted<uint16_t>(tensor);
    case DType::kInt32: return converted<int32_t>(tensor);
    case DType::kUInt32: return converted<uint32_t>(tensor);
    case DType::kInt64: return converted<int64_t>(tensor);
    case DType::kUInt64: return converted<uint64_t>(tensor);
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
  const LoweredModel model_b(
      other, {.threads = options.threads, .observed = watch, .ec_in_two_passes = options.ec_in_two_passes});
  const LoweredModel model_a(reference, {.threads = options.threads, .observed = model_b.readable()});
  const std::vector<size_t> output_partners = partners(output_names(reference), output_names(other));
  const std::vector<size_t> input_partners = partners(input_names(other), input_names(reference));

  Comparison result;
  for (size_t i = 0; i < reference.outputs.size(); ++i) {
    result.outputs.push_back(described(reference, reference.outputs[i].name, reference.outputs[i].value));
    result.outputs.back().step = output_step(other, other.outputs[output_partners[i]]);
  }
  std::map<std::string, TensorComparison> compared;
  const int64_t samples = options.max_samples > 0 ? std::min(options.max_samples, data.size()) : data.size();
  for (int64_t s = 0; s < samples; ++s) {
    const std::vector<Tensor> inputs = data.sample(s);
    std::map<std::string, Tensor> expected;
    const std::vector<Tensor> a =
        model_a.run(inputs, [&](const std::string& name, const Tensor& tensor) { expected.emplace(name, tensor); });
    std::vector<Tensor> inputs_b;
    for (size_t position : input_partners) inputs_b.push_back(inputs[position]);
    const std::vector<Tensor> b = model_b.run(inputs_b, [&](const std::string& name, const Tensor& tensor) {
      const auto it = expected.find(name);
      if (it == expected.end() || it->second.dtype() != DType::kFloat32) return;
      TensorComparison& comparison = compared[name];
      comparison.tensor = name;
      add_sample(it->second, tensor, comparison);
      expected.erase(it);
    });
    for (size_t i = 0; i < a.size(); ++i) {
      add_sample(a[i], b[output_partners[i]], result.outputs[i]);
    }
    if (options.progress) options.progress(s + 1, samples);
  }
  for (NodeId id : reference.topological_order()) {
    for (ValueId output : reference.node(id).outputs) {
      if (output == kNone) continue;
      const auto it = compared.find(reference.value(output).name);
      if (it == compared.end()) continue;
      TensorComparison row = described(reference, it->first, output);
      row.metrics = it->second.metrics;
      row.agreement = it->second.agreement;
      row.step = model_b.step(it->first);
      result.tensors.push_back(std::move(row));
    }
  }
  return result;
}

}  // namespace twofold
