#include <algorithm>

#include "api/session_state.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/nearest_names.h"

namespace twofold {

namespace {

void check_real(const std::string& name, const Tensor& tensor, const Shape& shape) {
  if (tensor.dtype() == DType::kFloat32 && tensor.shape() == shape) return;
  throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is float32 {} in this run, but {} {} was given", name,
              to_string(shape), to_string(tensor.dtype()), to_string(tensor.shape()));
}

}  // namespace

const WatchedTensor& KeptRun::State::find(const std::string& name) const {
  const auto it = session->watched.find(name);
  if (it != session->watched.end()) return it->second;
  if (std::ranges::find(session->known, name) != session->known.end()) {
    throw_error(ErrorCode::kInvalidArgument,
                "tensor '{}' is not watched: name it in the session's option `watched` to read or change it", name);
  }
  std::vector<std::string> names;
  for (const auto& [watched, tensor] : session->watched) names.push_back(watched);
  throw_error(ErrorCode::kInvalidArgument,
              "the model has no tensor '{}'; the nearest that are inputs or watched are: {}", name,
              quoted_list(nearest_names(name, names, 3)));
}

KeptRun::KeptRun(std::unique_ptr<const State> state) : state_(std::move(state)) {}
KeptRun::~KeptRun() = default;
KeptRun::KeptRun(KeptRun&&) noexcept = default;
KeptRun& KeptRun::operator=(KeptRun&&) noexcept = default;

const std::vector<Tensor>& KeptRun::outputs() const { return state_->values.outputs(); }
size_t KeptRun::kept_bytes() const { return state_->values.kept_bytes(); }

Tensor KeptRun::value(const std::string& name, const Cancelled& cancelled) const {
  const WatchedTensor& tensor = state_->find(name);
  const CancellationScope scope(cancelled);
  if (tensor.real != kNone) return state_->values.value(tensor.real);
  // Where it is there at two precisions, the finer one.
  const auto scale = [](const QuantizedEdge& edge) { return edge.scale[0]; };
  const QuantizedEdge& finest = *std::ranges::min_element(tensor.integers, {}, scale);
  return dequantized(state_->values.value(finest.integers), finest);
}

std::vector<Tensor> KeptRun::run_from(const std::map<std::string, Tensor>& changed, const Cancelled& cancelled) const {
  std::map<ValueId, Tensor> changes;
  for (const auto& [name, tensor] : changed) {
    if (const ValueId real = state_->find(name).real; real != kNone) changes.emplace(real, tensor);
  }
  // Integers that are named themselves are as given: what they would be quantized from is hidden by them.
  for (const auto& [name, tensor] : changed) {
    for (const QuantizedEdge& edge : state_->find(name).integers) {
      check_real(name, tensor, state_->values.shape(edge.integers));
      changes.emplace(edge.integers, quantized(tensor, edge));
    }
  }
  const CancellationScope scope(cancelled);
  return state_->values.run_from(changes);
}

int64_t KeptRun::nodes_to_run(const std::vector<std::string>& names) const {
  std::vector<ValueId> ids;
  for (const std::string& name : names) {
    const WatchedTensor& tensor = state_->find(name);
    if (tensor.real != kNone) ids.push_back(tensor.real);
    for (const QuantizedEdge& edge : tensor.integers) ids.push_back(edge.integers);
  }
  return state_->values.nodes_to_run(ids);
}

}  // namespace twofold
