#include "engine/lowered_model.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/parallel_for.h"

namespace twofold {

namespace {

// The integers of a float tensor under one QuantizeLinear, by the name they keep through lowering.
struct ObservedForm {
  std::string integers;
  QuantizedEdge edge;
};

std::map<std::string, ObservedForm> observed_forms(const Graph& graph, const std::set<std::string>& names) {
  std::map<std::string, ObservedForm> forms;
  for (const std::string& name : names) {
    const ValueId real = graph.find_value(name);
    if (real == kNone) continue;
    for (NodeId reader : graph.consumers(real)) {
      const std::optional<QuantizedEdge> edge = quantized_edge(graph, reader);
      if (!edge || edge->scale.size() != 1) continue;
      forms.emplace(name, ObservedForm{graph.value(edge->integers).name, *edge});
      break;
    }
  }
  return forms;
}

bool is_computed(const Graph& graph, ValueId id) { return id != kNone && graph.producer(id) != kNone; }

// Only types and shapes.
void drop_constants(Graph& graph) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr) continue;
    graph.set_constant(id, Tensor::wrap(constant->dtype(), constant->shape(), nullptr, nullptr));
  }
}

void check_real(const std::string& name, const Tensor& tensor, const Shape& shape) {
  if (tensor.dtype() == DType::kFloat32 && tensor.shape() == shape) return;
  throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is float32 {} in this run, but {} {} was given", name,
              to_string(shape), to_string(tensor.dtype()), to_string(tensor.shape()));
}

// Where the bits of `given` are those of `own`, the integers become those of the run.
void keep_where_equal(const Tensor& given, const Tensor& own, const Tensor& of_run, Tensor& integers) {
  const float *a = given.data<float>().data(), *b = own.data<float>().data();
  const size_t bytes = byte_size(integers.dtype());
  std::byte* to = integers.mutable_bytes();
  for (size_t i = 0; i < static_cast<size_t>(given.size()); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) continue;
    std::copy_n(of_run.bytes() + i * bytes, bytes, to + i * bytes);
  }
}

}  // namespace

LoweredModel::LoweredModel(Graph graph, const LoweredModelOptions& options) : graph_(std::move(graph)) {
  // Lowering computes constants and tables.
  const ThreadScope threads(options.threads);
  const std::map<std::string, ObservedForm> forms = observed_forms(graph_, options.observed);
  lowering_ = lower(
      graph_, {.watched = options.observed, .held = options.watched, .ec_in_two_passes = options.ec_in_two_passes});
  for (const auto& [name, tensor] : lowering_.held) {
    add_readable(name, tensor.real, tensor.real == kNone ? std::optional(finest(tensor)) : std::nullopt);
  }
  for (const std::string& name : options.observed) {
    if (lowering_.held.contains(name)) continue;
    const ValueId real = graph_.find_value(name);
    const auto form = forms.find(name);
    if (is_computed(graph_, real)) {
      add_readable(name, real, std::nullopt);
    } else if (form != forms.end() && is_computed(graph_, graph_.find_value(form->second.integers))) {
      IntegerForm integers{form->second.edge, 0};
      integers.edge.integers = graph_.find_value(form->second.integers);
      add_readable(name, kNone, integers);
    }
  }
  ExecutorOptions running{.threads = options.threads, .watched = executor_values(), .profile = options.profile};
  executor_ = std::make_unique<const Executor>(graph_, std::move(running));
  for (ValueId id : graph_.inputs) lowering_.held.emplace(graph_.value(id).name, WatchedTensor{id, {}});
  drop_constants(graph_);
}

void LoweredModel::add_readable(const std::string& name, ValueId real, const std::optional<IntegerForm>& form) {
  readable_.emplace(form ? form->edge.integers : real, Readable{name, form});
}

std::vector<ValueId> LoweredModel::executor_values() const {
  std::set<ValueId> ids;
  for (const auto& [id, entry] : readable_) ids.insert(id);
  for (const auto& [name, tensor] : lowering_.held) {
    for (ValueId id : values(name)) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

std::vector<ValueId> LoweredModel::values(const std::string& name) const {
  const WatchedTensor& tensor = lowering_.held.at(name);
  std::vector<ValueId> ids;
  if (tensor.real != kNone) ids.push_back(tensor.real);
  for (const IntegerForm& form : tensor.integers) ids.push_back(form.edge.integers);
  return ids;
}

std::set<std::string> LoweredModel::readable() const {
  std::set<std::string> names;
  for (const auto& [id, entry] : readable_) names.insert(entry.name);
  return names;
}

std::optional<float> LoweredModel::step(const std::string& name) const {
  for (const auto& [id, entry] : readable_) {
    if (entry.name == name && entry.form) return entry.form->edge.scale[0];
  }
  return std::nullopt;
}

std::vector<Tensor> LoweredModel::run(const std::vector<Tensor>& inputs, const OnTensor& on_tensor) const {
  if (!on_tensor) return executor_->run(inputs);
  return executor_->run(inputs, [&](ValueId id, const Tensor& tensor) {
    const auto [begin, end] = readable_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      on_tensor(it->second.name, it->second.form ? real_numbers_of(tensor, *it->second.form) : tensor);
    }
  });
}

Tensor LoweredModel::value(const KeptValues& run, const std::string& name) const {
  const WatchedTensor& tensor = lowering_.held.at(name);
  if (tensor.real != kNone) return run.value(tensor.real);
  const IntegerForm& form = finest(tensor);
  return real_numbers_of(run.value(form.edge.integers), form);
}

std::map<ValueId, Tensor> LoweredModel::changes(const KeptValues& run,
                                                const std::map<std::string, Tensor>& changed) const {
  std::map<ValueId, Tensor> changes;
  for (const auto& [name, tensor] : changed) {
    if (const ValueId real = lowering_.held.at(name).real; real != kNone) changes.emplace(real, tensor);
  }
  // Integers that are named themselves are as given: what they would be quantized from is hidden by them.
  for (const auto& [name, tensor] : changed) {
    const WatchedTensor& watched = lowering_.held.at(name);
    if (watched.integers.empty()) continue;
    for (const IntegerForm& form : watched.integers) check_real(name, tensor, run.shape(form.edge.integers));
    // The only integers are told by what they stand for.
    const bool exact = watched.real == kNone && watched.integers.size() == 1;
    const Tensor own = exact ? Tensor() : value(run, name);
    for (const IntegerForm& form : watched.integers) {
      Tensor integers = integers_of(tensor, form);
      if (!exact) keep_where_equal(tensor, own, run.value(form.edge.integers), integers);
      changes.emplace(form.edge.integers, std::move(integers));
    }
  }
  return changes;
}

}  // namespace twofold
