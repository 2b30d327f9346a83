#include "twofold/session.h"

#include "api/session_state.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "onnx/import.h"

namespace twofold {

namespace {

void check_input(const TensorInfo& info, const Tensor& tensor) {
  if (info.dtype != DType::kUndefined && tensor.dtype() != info.dtype) {
    throw_error(ErrorCode::kInvalidArgument, "input '{}' must be {}, but {} was given", info.name,
                to_string(info.dtype), to_string(tensor.dtype()));
  }
  bool fits = !info.known_rank || tensor.shape().size() == info.shape.size();
  for (size_t i = 0; fits && info.known_rank && i < info.shape.size(); ++i) {
    fits = info.shape[i] < 0 || info.shape[i] == tensor.shape()[i];
  }
  if (!fits) {
    throw_error(ErrorCode::kInvalidArgument, "input '{}' must have shape {} (-1: any size), but {} was given",
                info.name, to_string(info.shape), to_string(tensor.shape()));
  }
}

void check_inputs(const std::vector<TensorInfo>& infos, const std::vector<Tensor>& inputs) {
  if (inputs.size() != infos.size()) {
    throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", infos.size(), inputs.size());
  }
  for (size_t i = 0; i < inputs.size(); ++i) check_input(infos[i], inputs[i]);
}

}  // namespace

Session::Session(const std::filesystem::path& model, const SessionOptions& options)
    : state_(std::make_shared<const State>(import_onnx(model), options)) {}

Session::Session(std::span<const std::byte> model, const std::filesystem::path& folder, const SessionOptions& options)
    : state_(std::make_shared<const State>(import_onnx_bytes(model, "model in memory", folder), options)) {}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const std::vector<TensorInfo>& Session::inputs() const { return state_->inputs; }
const std::vector<TensorInfo>& Session::outputs() const { return state_->outputs; }

std::vector<Tensor> Session::run(const std::vector<Tensor>& inputs, const Cancelled& cancelled) const {
  check_inputs(state_->inputs, inputs);
  const CancellationScope scope(cancelled);
  return state_->model.run(inputs);
}

KeptRun Session::keep(const std::vector<Tensor>& inputs, size_t memory_cap, const Cancelled& cancelled) const {
  check_inputs(state_->inputs, inputs);
  const CancellationScope scope(cancelled);
  return KeptRun(std::make_unique<const KeptRun::State>(state_, inputs, memory_cap));
}

}  // namespace twofold
