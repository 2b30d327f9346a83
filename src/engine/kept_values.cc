#include "engine/kept_values.h"

#include <algorithm>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/parallel_for.h"
#include "engine/execution.h"
#include "engine/program.h"
#include "numeric/allocator_scope.h"

namespace twofold {

namespace {

const Executor::OnValue kNobody;

}  // namespace

// Steps to run, in order, and what can be dropped after each.
struct KeptValues::Schedule {
  std::vector<size_t> steps;
  std::vector<std::vector<ValueId>> last_uses;
  std::vector<bool> read;  // by ValueId: kept values that the steps read
};

KeptValues::KeptValues(const Executor& executor, std::vector<Tensor> inputs, size_t memory_cap)
    : program_(executor.program()),
      kept_(static_cast<size_t>(program_->graph.num_values())),
      forms_(static_cast<size_t>(program_->graph.num_values())) {
  program_->check_inputs(inputs);
  const ThreadScope threads(program_->options.threads);
  const AllocatorScope buffers(&program_->pool);
  Execution run(*program_, kNobody);
  const auto note = [&](ValueId id, const Tensor& tensor) {
    forms_[static_cast<size_t>(id)] = {tensor.dtype(), tensor.shape()};
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = graph().inputs[i];
    note(id, inputs[i]);
    run.set(id, inputs[i]);
    kept_[static_cast<size_t>(id)] = std::move(inputs[i]);
  }
  for (const Step& step : program_->steps) {
    throw_if_cancelled();
    run.execute(step);
    for (ValueId id : graph().node(step.node).outputs) {
      if (id == kNone) continue;
      const Tensor& tensor = run.value(id);
      note(id, tensor);
      if (tensor.byte_size() > memory_cap - kept_bytes_) continue;
      kept_bytes_ += tensor.byte_size();
      kept_[static_cast<size_t>(id)] = tensor;
    }
    for (ValueId id : step.last_uses) run.drop(id);
  }
  for (ValueId id : output_values()) outputs_.push_back(run.output(id));
}

const Graph& KeptValues::graph() const { return program_->graph; }

std::vector<ValueId> KeptValues::output_values() const {
  std::vector<ValueId> ids;
  for (const GraphOutput& output : graph().outputs) ids.push_back(output.value);
  return ids;
}

bool KeptValues::is_changeable(ValueId id) const {
  if (id < 0 || id >= graph().num_values() || graph().constant(id) != nullptr) return false;
  return graph().producer(id) != kNone || graph().is_input(id);
}

std::vector<bool> KeptValues::marked(const std::vector<ValueId>& changed) const {
  std::vector<bool> marks(kept_.size(), false);
  for (ValueId id : changed) {
    if (!is_changeable(id)) {
      const bool known = id >= 0 && id < graph().num_values();
      throw_error(ErrorCode::kInvalidArgument,
                  "tensor '{}' cannot be changed: no node computes it on its own in this run",
                  known ? graph().value(id).name : "?");
    }
    marks[static_cast<size_t>(id)] = true;
  }
  return marks;
}

void KeptValues::check_form(ValueId id, const Tensor& tensor) const {
  const Form& form = forms_[static_cast<size_t>(id)];
  if (tensor.dtype() == form.dtype && tensor.shape() == form.shape) return;
  throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is {} {} in this run, but {} {} was given",
              graph().value(id).name, to_string(form.dtype), to_string(form.shape), to_string(tensor.dtype()),
              to_string(tensor.shape()));
}

std::vector<bool> KeptValues::dependents(std::vector<bool> changed) const {
  for (const Step& step : program_->steps) {
    const Node& node = graph().node(step.node);
    const bool depends =
        std::ranges::any_of(node.inputs, [&](ValueId id) { return id != kNone && changed[static_cast<size_t>(id)]; });
    for (ValueId id : node.outputs) {
      if (depends && id != kNone) changed[static_cast<size_t>(id)] = true;
    }
  }
  return changed;
}

KeptValues::Schedule KeptValues::schedule(const std::vector<bool>& changed, const std::vector<bool>& dirty,
                                          const std::vector<ValueId>& targets) const {
  const std::vector<Step>& steps = program_->steps;
  Schedule schedule;
  schedule.read.assign(changed.size(), false);
  const auto at = [](ValueId id) { return static_cast<size_t>(id); };
  // Backwards from the targets: a step runs if somebody needs what it computes and that is not there.
  std::vector<bool> needed(changed.size(), false);
  const auto need = [&](ValueId id) {
    const bool there = !dirty[at(id)] && kept_[at(id)].defined();
    (there ? schedule.read : needed)[at(id)] = true;
  };
  for (ValueId id : targets) {
    if (graph().constant(id) == nullptr) need(id);
  }
  std::vector<bool> runs(steps.size(), false);
  for (size_t i = steps.size(); i-- > 0;) {
    const Node& node = graph().node(steps[i].node);
    runs[i] = std::ranges::any_of(node.outputs,
                                  [&](ValueId id) { return id != kNone && needed[at(id)] && !changed[at(id)]; });
    if (!runs[i]) continue;
    for (ValueId id : node.inputs) {
      if (id != kNone && graph().constant(id) == nullptr) need(id);
    }
  }
  // A value goes after its last reader.
  std::vector<bool> live(changed.size(), false);
  for (ValueId id : targets) live[at(id)] = true;
  for (size_t i = steps.size(); i-- > 0;) {
    if (!runs[i]) continue;
    std::vector<ValueId> last;
    const Node& node = graph().node(steps[i].node);
    for (const std::vector<ValueId>& ids : {node.inputs, node.outputs}) {
      for (ValueId id : ids) {
        if (id == kNone || live[at(id)] || graph().constant(id) != nullptr) continue;
        live[at(id)] = true;
        last.push_back(id);
      }
    }
    schedule.steps.push_back(i);
    schedule.last_uses.push_back(std::move(last));
  }
  std::ranges::reverse(schedule.steps);
  std::ranges::reverse(schedule.last_uses);
  return schedule;
}

std::vector<Tensor> KeptValues::execute(const Schedule& schedule, const std::map<ValueId, Tensor>& changed,
                                        const std::vector<ValueId>& targets) const {
  const ThreadScope threads(program_->options.threads);
  const AllocatorScope buffers(&program_->pool);
  Execution run(*program_, kNobody);
  for (size_t id = 0; id < schedule.read.size(); ++id) {
    if (schedule.read[id]) run.set(static_cast<ValueId>(id), kept_[id]);
  }
  for (const auto& [id, tensor] : changed) run.set(id, tensor);
  for (size_t i = 0; i < schedule.steps.size(); ++i) {
    throw_if_cancelled();
    const Step& step = program_->steps[schedule.steps[i]];
    run.execute(step);
    // A node with several outputs, one of which was changed, has just overwritten it.
    for (ValueId id : graph().node(step.node).outputs) {
      if (const auto it = changed.find(id); it != changed.end()) run.set(id, it->second);
    }
    for (ValueId id : schedule.last_uses[i]) run.drop(id);
  }
  std::vector<Tensor> results;
  for (ValueId id : targets) results.push_back(run.output(id));
  return results;
}

Tensor KeptValues::value(ValueId id) const {
  TWOFOLD_CHECK(is_changeable(id));
  const std::vector<ValueId> targets = {id};
  const std::vector<bool> none(kept_.size(), false);
  return execute(schedule(none, none, targets), {}, targets)[0];
}

std::vector<ValueId> KeptValues::dirty_outputs(const std::vector<bool>& dirty) const {
  std::vector<ValueId> ids;
  for (ValueId id : output_values()) {
    if (dirty[static_cast<size_t>(id)]) ids.push_back(id);
  }
  return ids;
}

std::vector<Tensor> KeptValues::run_from(const std::map<ValueId, Tensor>& changed) const {
  std::vector<ValueId> ids;
  for (const auto& [id, tensor] : changed) ids.push_back(id);
  const std::vector<bool> marks = marked(ids);
  for (const auto& [id, tensor] : changed) check_form(id, tensor);
  const std::vector<bool> dirty = dependents(marks);
  const std::vector<ValueId> targets = dirty_outputs(dirty), outputs = output_values();
  std::vector<Tensor> computed = execute(schedule(marks, dirty, targets), changed, targets);
  std::vector<Tensor> results;
  for (size_t i = 0, next = 0; i < outputs.size(); ++i) {
    const bool is_new = next < targets.size() && targets[next] == outputs[i];
    results.push_back(is_new ? std::move(computed[next++]) : outputs_[i]);
  }
  return results;
}

int64_t KeptValues::nodes_to_run(const std::vector<ValueId>& changed) const {
  const std::vector<bool> marks = marked(changed), dirty = dependents(marks);
  return static_cast<int64_t>(schedule(marks, dirty, dirty_outputs(dirty)).steps.size());
}

}  // namespace twofold
