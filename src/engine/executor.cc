#include "engine/executor.h"

#include <chrono>

#include "base/cancellation.h"
#include "base/parallel_for.h"
#include "engine/execution.h"
#include "engine/program.h"
#include "numeric/allocator_scope.h"

namespace twofold {

Executor::Executor(const Graph& graph, ExecutorOptions options)
    : program_(std::make_shared<Program>(graph, std::move(options))) {}

Executor::~Executor() = default;

std::vector<Tensor> Executor::run(const std::vector<Tensor>& inputs, const OnValue& on_value) const {
  Program& program = *program_;
  const Graph& graph = program.graph;
  program.check_inputs(inputs);
  const ThreadScope threads(program.options.threads);
  const AllocatorScope buffers(&program.pool);
  Execution run(program, on_value);
  if (on_value) {
    for (ValueId id : program.watched_constants) on_value(id, *graph.constant(id));
  }
  for (size_t i = 0; i < inputs.size(); ++i) run.set(graph.inputs[i], inputs[i]);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    throw_if_cancelled();
    const Step& step = program.steps[i];
    const auto start = std::chrono::steady_clock::now();
    run.execute(step);
    for (ValueId id : step.last_uses) run.drop(id);
    if (!program.options.profile) continue;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const std::lock_guard<std::mutex> lock(program.profile_mutex);
    program.profile[i].seconds += spent.count();
    ++program.profile[i].calls;
  }
  std::vector<Tensor> outputs;
  for (const GraphOutput& output : graph.outputs) outputs.push_back(run.output(output.value));
  return outputs;
}

MemoryUse Executor::memory() const {
  MemoryUse use{program_->pool.peak_bytes(), 0};
  for (const Step& step : program_->steps) use.packed_bytes += step.kernel->packed_bytes();
  return use;
}

std::vector<NodeProfile> Executor::profile() const {
  const std::lock_guard<std::mutex> lock(program_->profile_mutex);
  return program_->profile;
}

}  // namespace twofold
