#include "engine/execution.h"

#include "loops/layout.h"

namespace twofold {

Execution::Execution(Executor::Program& program, const Executor::OnValue& on_value)
    : program_(program), on_value_(on_value) {
  const auto count = static_cast<size_t>(program.graph.num_values());
  memory_ = program.pool.allocate(count * sizeof(Slot));
  slots_ = {reinterpret_cast<Slot*>(memory_.get()), count};
  std::uninitialized_default_construct(slots_.begin(), slots_.end());
}

Execution::~Execution() { std::destroy(slots_.begin(), slots_.end()); }

void Execution::set(ValueId id, Tensor tensor) {
  Slot& value = slot(id);
  value.tensor = std::move(tensor);
  if (on_value_ && program_.watched[static_cast<size_t>(id)]) on_value_(id, value.tensor);
}

void Execution::execute(const Step& step) {
  const Node& node = program_.graph.node(step.node);
  try {
    arguments_.clear();
    converted_constants_.clear();
    converted_constants_.reserve(step.arguments.size());
    for (const Argument& argument : step.arguments) arguments_.push_back(resolve(argument));
    results_.assign(node.outputs.size(), Tensor());
    OpCall call(node, arguments_, results_, &program_.pool);
    step.kernel->run(call);
  } catch (const Error& error) {
    throw_at(node, error);
  }
  for (size_t i = 0; i < results_.size(); ++i) {
    if (node.outputs[i] != kNone) set(node.outputs[i], std::move(results_[i]));
  }
}

const Tensor& Execution::value(ValueId id) const {
  const Tensor* constant = program_.graph.constant(id);
  return constant != nullptr ? *constant : slots_[static_cast<size_t>(id)].tensor;
}

Tensor Execution::output(ValueId id) const { return to_layout(value(id), Layout::kPlain); }

const Tensor* Execution::resolve(const Argument& argument) {
  if (argument.value == kNone) return nullptr;
  Slot* value = argument.constant == nullptr ? &slot(argument.value) : nullptr;
  const Tensor& tensor = value != nullptr ? value->tensor : *argument.constant;
  if (argument.want == Argument::Want::kAny) return &tensor;
  const Layout layout = argument.want == Argument::Want::kPlain ? Layout::kPlain : Layout::kChannelsLast;
  if (tensor.layout() == layout || tensor.rank() < 3) return &tensor;
  if (value == nullptr) return &converted_constants_.emplace_back(to_layout(tensor, layout));
  if (!value->other.defined()) value->other = to_layout(tensor, layout);
  return &value->other;
}

}  // namespace twofold
