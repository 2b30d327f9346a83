#include "engine/kept_run.h"

#include <algorithm>

#include "base/parallel_for.h"
#include "engine/execution.h"
#include "engine/program.h"
#include "numeric/allocator_scope.h"

namespace twofold {

namespace {

const Executor::OnValue kNobody;

}  // namespace

// Steps to run, in order, and what can be dropped after each.
struct KeptRun::Plan {
  std::vector<size_t> steps;
  std::vector<std::vector<ValueId>> last_uses;
  std::vector<bool> dirty;  // by ValueId: changed, or depending on a change
  std::vector<bool> read;   // by ValueId: kept values that the steps read
};

KeptRun::KeptRun(const Executor& executor, std::vector<Tensor> inputs, size_t memory_cap)
    : program_(executor.program()), kept_(static_cast<size_t>(program_->graph.num_values())) {
  const Graph& graph = program_->graph;
  program_->check_inputs(inputs);
  const ThreadScope threads(program_->options.threads);
  const AllocatorScope buffers(&program_->pool);
  Execution run(*program_, kNobody);
  for (size_t i = 0; i < inputs.size(); ++i) {
    run.set(graph.inputs[i], inputs[i]);
    kept_[static_cast<size_t>(graph.inputs[i])] = std::move(inputs[i]);
  }
  for (const Step& step : program_->steps) {
    run.execute(step);
    for (ValueId id : graph.node(step.node).outputs) {
      if (id == kNone) continue;
      const Tensor& tensor = run.value(id);
      if (tensor.byte_size() > memory_cap - kept_bytes_) continue;
      kept_bytes_ += tensor.byte_size();
      kept_[static_cast<size_t>(id)] = tensor;
    }
    for (ValueId id : step.last_uses) run.drop(id);
  }
  for (const GraphOutput& output : graph.outputs) outputs_.push_back(run.output(output.value));
}

std::vector<bool> KeptRun::marked(const std::vector<ValueId>& changed) const {
  const Graph& graph = program_->graph;
  std::vector<bool> marks(kept_.size(), false);
  for (ValueId id : changed) {
    const bool known = id >= 0 && id < graph.num_values();
    if (!known || graph.constant(id) != nullptr || (graph.producer(id) == kNone && !graph.is_input(id))) {
      throw_error(ErrorCode::kInvalidArgument,
                  "tensor '{}' cannot be changed: no node computes it on its own in this run",
                  known ? graph.value(id).name : "?");
    }
    marks[static_cast<size_t>(id)] = true;
  }
  return marks;
}

KeptRun::Plan KeptRun::plan(const std::vector<bool>& changed) const {
  const Graph& graph = program_->graph;
  const std::vector<Step>& steps = program_->steps;
  Plan plan;
  plan.dirty = changed;
  plan.read.assign(changed.size(), false);
  const auto at = [](ValueId id) { return static_cast<size_t>(id); };
  for (const Step& step : steps) {
    const Node& node = graph.node(step.node);
    const bool depends =
        std::ranges::any_of(node.inputs, [&](ValueId id) { return id != kNone && plan.dirty[at(id)]; });
    for (ValueId id : node.outputs) {
      if (depends && id != kNone) plan.dirty[at(id)] = true;
    }
  }
  // Backwards from the outputs that change: a step runs if somebody needs what it computes and that is not there.
  std::vector<bool> needed(changed.size(), false);
  for (const GraphOutput& output : graph.outputs) needed[at(output.value)] = plan.dirty[at(output.value)];
  std::vector<bool> runs(steps.size(), false);
  for (size_t i = steps.size(); i-- > 0;) {
    const Node& node = graph.node(steps[i].node);
    runs[i] = std::ranges::any_of(node.outputs,
                                  [&](ValueId id) { return id != kNone && needed[at(id)] && !changed[at(id)]; });
    if (!runs[i]) continue;
    for (ValueId id : node.inputs) {
      if (id == kNone || graph.constant(id) != nullptr) continue;
      const bool there = !plan.dirty[at(id)] && kept_[at(id)].defined();
      (there ? plan.read : needed)[at(id)] = true;
    }
  }
  // A value goes after its last reader.
  std::vector<bool> live(changed.size(), false);
  for (const GraphOutput& output : graph.outputs) live[at(output.value)] = true;
  for (size_t i = steps.size(); i-- > 0;) {
    if (!runs[i]) continue;
    std::vector<ValueId> last;
    const Node& node = graph.node(steps[i].node);
    for (const std::vector<ValueId>& ids : {node.inputs, node.outputs}) {
      for (ValueId id : ids) {
        if (id == kNone || live[at(id)] || graph.constant(id) != nullptr) continue;
        live[at(id)] = true;
        last.push_back(id);
      }
    }
    plan.steps.push_back(i);
    plan.last_uses.push_back(std::move(last));
  }
  std::ranges::reverse(plan.steps);
  std::ranges::reverse(plan.last_uses);
  return plan;
}

std::vector<Tensor> KeptRun::run_from(const std::map<ValueId, Tensor>& changed) const {
  const Graph& graph = program_->graph;
  std::vector<ValueId> ids;
  for (const auto& [id, tensor] : changed) ids.push_back(id);
  const std::vector<bool> is_changed = marked(ids);
  const Plan plan = this->plan(is_changed);
  const ThreadScope threads(program_->options.threads);
  const AllocatorScope buffers(&program_->pool);
  Execution run(*program_, kNobody);
  for (size_t id = 0; id < plan.read.size(); ++id) {
    if (plan.read[id]) run.set(static_cast<ValueId>(id), kept_[id]);
  }
  for (const auto& [id, tensor] : changed) run.set(id, tensor);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = program_->steps[plan.steps[i]];
    run.execute(step);
    // A node with several outputs, one of which was changed, has just overwritten it.
    for (ValueId id : graph.node(step.node).outputs) {
      if (id != kNone && is_changed[static_cast<size_t>(id)]) run.set(id, changed.at(id));
    }
    for (ValueId id : plan.last_uses[i]) run.drop(id);
  }
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const ValueId id = graph.outputs[i].value;
    outputs.push_back(plan.dirty[static_cast<size_t>(id)] ? run.output(id) : outputs_[i]);
  }
  return outputs;
}

int64_t KeptRun::nodes_to_run(const std::vector<ValueId>& changed) const {
  return static_cast<int64_t>(plan(marked(changed)).steps.size());
}

}  // namespace twofold
