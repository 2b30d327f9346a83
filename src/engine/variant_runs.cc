#include "engine/variant_runs.h"

#include <algorithm>
#include <set>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/parallel_for.h"
#include "engine/execution.h"
#include "engine/program.h"
#include "numeric/allocator_scope.h"

namespace twofold {

namespace {

const Executor::OnValue kNobody;

size_t at(ValueId id) { return static_cast<size_t>(id); }

}  // namespace

class VariantRuns::Variant {
 public:
  Variant(Graph lowered, int threads, ProgramCache& cache, std::vector<ContentHash> part)
      : part_inputs(std::move(part)),
        program(std::move(lowered), {.threads = threads}, &cache, part_inputs.empty() ? nullptr : &part_inputs) {}

  bool is_constant(ValueId id) const { return program.graph.constant(id) != nullptr; }

  const std::vector<ContentHash> part_inputs;  // empty: the inputs are those of every variant
  Executor::Program program;
};

VariantRuns::VariantRuns(const Options& options) : options_(options) {}
VariantRuns::~VariantRuns() = default;

std::shared_ptr<VariantRuns::Variant> VariantRuns::prepare(Graph lowered) { return make(std::move(lowered), {}); }

std::shared_ptr<VariantRuns::Variant> VariantRuns::prepare_part(Graph lowered, std::vector<ContentHash> inputs) {
  TWOFOLD_CHECK(!inputs.empty() && base_ != nullptr);
  return make(std::move(lowered), std::move(inputs));
}

std::shared_ptr<VariantRuns::Variant> VariantRuns::make(Graph lowered, std::vector<ContentHash> part_inputs) {
  const ThreadScope threads(options_.threads);
  const int64_t made = cache_.kernels.made();
  auto variant = std::make_shared<Variant>(std::move(lowered), options_.threads, cache_, std::move(part_inputs));
  ++counters_.variants;
  counters_.kernels_made += cache_.kernels.made() - made;
  return variant;
}

const Tensor* VariantRuns::find(size_t sample, const ContentHash& key) const {
  if (sample >= kept_.size()) return nullptr;
  const auto it = kept_[sample].find(key);
  return it == kept_[sample].end() ? nullptr : &it->second;
}

void VariantRuns::keep(size_t sample, const ContentHash& key, const Tensor& value) {
  if (value.byte_size() < options_.keep_from || value.byte_size() > options_.memory_cap - kept_bytes_) return;
  if (kept_.size() <= sample) kept_.resize(sample + 1);
  if (kept_[sample].emplace(key, value).second) kept_bytes_ += value.byte_size();
}

// Backwards from the outputs: a step runs if somebody needs what it computes and the base does not have it.
std::vector<bool> VariantRuns::steps_to_run(const Variant& variant, size_t sample) const {
  const Executor::Program& program = variant.program;
  std::vector<bool> needed(program.keys.size(), false);
  const auto need = [&](ValueId id) {
    if (!variant.is_constant(id)) needed[at(id)] = find(sample, program.keys[at(id)]) == nullptr;
  };
  for (const GraphOutput& output : program.graph.outputs) need(output.value);
  std::vector<bool> runs(program.steps.size(), false);
  for (size_t i = program.steps.size(); i-- > 0;) {
    const Node& node = program.graph.node(program.steps[i].node);
    runs[i] = std::ranges::any_of(node.outputs, [&](ValueId id) { return id != kNone && needed[at(id)]; });
    if (!runs[i]) continue;
    for (ValueId id : node.inputs) {
      if (id != kNone) need(id);
    }
  }
  return runs;
}

std::vector<Tensor> VariantRuns::run(Variant& variant, size_t sample, const std::vector<Tensor>& inputs) {
  Executor::Program& program = variant.program;
  const bool is_part = !variant.part_inputs.empty();
  if (!is_part) program.check_inputs(inputs);
  const ThreadScope threads(options_.threads);
  const AllocatorScope buffers(&program.pool);
  Execution run(program, kNobody);
  std::vector<bool> there(program.keys.size(), false);
  for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
    const Tensor* tensor = is_part ? find(sample, variant.part_inputs[i]) : &inputs[i];
    for (size_t k = 0; tensor == nullptr && k < inputs.size(); ++k) {
      if (variant.part_inputs[i] == StructuralKeys::of_input(k)) tensor = &inputs[k];
    }
    TWOFOLD_CHECK(tensor != nullptr);
    run.set(program.graph.inputs[i], *tensor);
    there[at(program.graph.inputs[i])] = true;
  }
  const auto fetch = [&](ValueId id) {
    if (id == kNone || there[at(id)] || variant.is_constant(id)) return;
    const Tensor* kept = find(sample, program.keys[at(id)]);
    TWOFOLD_CHECK(kept != nullptr);
    run.set(id, *kept);
    there[at(id)] = true;
  };
  const std::vector<bool> runs = steps_to_run(variant, sample);
  for (size_t i = 0; i < runs.size(); ++i) {
    const Step& step = program.steps[i];
    ++(runs[i] ? counters_.nodes_run : counters_.nodes_reused);
    if (runs[i]) {
      throw_if_cancelled();
      const Node& node = program.graph.node(step.node);
      std::ranges::for_each(node.inputs, fetch);
      run.execute(step);
      for (ValueId id : node.outputs) {
        if (id == kNone) continue;
        there[at(id)] = true;
        if (&variant == base_.get()) keep(sample, program.keys[at(id)], run.value(id));
      }
    }
    for (ValueId id : step.last_uses) run.drop(id);
  }
  std::vector<Tensor> outputs;
  for (const GraphOutput& output : program.graph.outputs) {
    fetch(output.value);
    outputs.push_back(run.output(output.value));
  }
  return outputs;
}

std::optional<ContentHash> VariantRuns::kept_key(std::string_view name, size_t samples) const {
  const Executor::Program& program = base_->program;
  const ValueId id = program.graph.find_value(name);
  if (id == kNone || program.graph.producer(id) == kNone) return std::nullopt;
  const ContentHash& key = program.keys[at(id)];
  for (size_t sample = 0; sample < samples; ++sample) {
    if (find(sample, key) == nullptr) return std::nullopt;
  }
  return key;
}

void VariantRuns::set_base(std::shared_ptr<Variant> variant) {
  const std::set<ContentHash> keys(variant->program.keys.begin(), variant->program.keys.end());
  for (Values& values : kept_) {
    std::erase_if(values, [&](const auto& entry) {
      const bool goes = !keys.contains(entry.first);
      if (goes) kept_bytes_ -= entry.second.byte_size();
      return goes;
    });
  }
  base_ = std::move(variant);
}

}  // namespace twofold
