#include "twofold/session.h"

#include "api/tensor_info.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "engine/cancellation.h"
#include "engine/executor.h"
#include "engine/lower.h"
#include "onnx/import.h"
#include "passes/pipeline.h"

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

}  // namespace

struct Session::State {
  State(Graph imported, const SessionOptions& options) : graph(std::move(imported)) {
    // Passes and lowering compute constants and tables.
    const ThreadScope threads(options.threads);
    inputs = input_infos(graph);
    outputs = output_infos(graph);
    check_operators(graph);
    run_passes(graph);
    lower(graph);
    executor = std::make_unique<Executor>(graph, ExecutorOptions{.threads = options.threads});
  }

  Graph graph;
  std::vector<TensorInfo> inputs, outputs;
  std::unique_ptr<const Executor> executor;
};

Session::Session(const std::filesystem::path& model, const SessionOptions& options)
    : state_(std::make_unique<State>(import_onnx(model), options)) {}

Session::Session(std::span<const std::byte> model, const std::filesystem::path& folder, const SessionOptions& options)
    : state_(std::make_unique<State>(import_onnx_bytes(model, "model in memory", folder), options)) {}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const std::vector<TensorInfo>& Session::inputs() const { return state_->inputs; }
const std::vector<TensorInfo>& Session::outputs() const { return state_->outputs; }

std::vector<Tensor> Session::run(const std::vector<Tensor>& inputs, const Cancelled& cancelled) const {
  if (inputs.size() != state_->inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", state_->inputs.size(),
                inputs.size());
  }
  for (size_t i = 0; i < inputs.size(); ++i) check_input(state_->inputs[i], inputs[i]);
  const CancellationScope scope(cancelled);
  return state_->executor->run(inputs);
}

}  // namespace twofold
