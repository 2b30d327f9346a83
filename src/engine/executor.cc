#include "engine/executor.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "base/check.h"
#include "base/parallel_for.h"
#include "engine/buffer_pool.h"
#include "engine/fuse.h"
#include "numeric/allocator_scope.h"
#include "ops/layout.h"

namespace twofold {

namespace {

// One input of a step: where its tensor comes from, and the layout the kernel wants.
struct Argument {
  ValueId value = kNone;
  const Tensor* constant = nullptr;
  enum class Want : uint8_t { kPlain, kChannelsLast, kAny } want = Want::kPlain;
};

// One node made ready: its kernel and the values it reads for the last time.
struct Step {
  NodeId node;
  std::unique_ptr<Kernel> kernel;
  std::vector<Argument> arguments;
  std::vector<ValueId> last_uses;
};

// A value at run time, in up to two layouts.
struct Slot {
  Tensor tensor;
  Tensor other;  // the same in the layout that `tensor` is not in, once someone has asked for it
};

[[noreturn]] void throw_at(const Node& node, const Error& error) {
  throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
}

}  // namespace

struct Executor::Program {
  explicit Program(Graph fused) : graph(std::move(fused)) {}

  const Graph graph;  // with fused nodes; value ids are those of the graph given
  ExecutorOptions options;
  std::vector<Step> steps;
  std::vector<bool> watched;
  std::vector<ValueId> watched_constants;
  BufferPool pool;
  std::mutex profile_mutex;
  std::vector<NodeProfile> profile;  // one per step, if asked for

  Step make_step(NodeId id) const;
};

Step Executor::Program::make_step(NodeId id) const {
  const Node& node = graph.node(id);
  const ExecutorOptions body_options{.threads = options.threads};
  KernelArgs args{node, {}, [body_options](const Graph& body) -> GraphRunner {
                    auto executor = std::make_shared<Executor>(body, body_options);
                    return [executor](const std::vector<Tensor>& inputs) { return executor->run(inputs); };
                  }};
  const OpDef& op = *find_op(node.domain, node.op_type);
  Step step{id, nullptr, {}, {}};
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor* constant = graph.constant(node.inputs[i]);
    args.constants.push_back(constant);
    const bool channels_last = i < 32 && (op.channels_last >> i & 1) != 0;
    using Want = Argument::Want;
    step.arguments.push_back({node.inputs[i], constant,
                              channels_last   ? Want::kChannelsLast
                              : op.any_layout ? Want::kAny
                                              : Want::kPlain});
  }
  try {
    step.kernel = make_kernel(args);
  } catch (const Error& error) {
    throw_at(node, error);
  }
  return step;
}

Executor::Executor(const Graph& graph, ExecutorOptions options) {
  check_operators(graph);
  const auto num_values = static_cast<size_t>(graph.num_values());
  std::vector<bool> watched(num_values, false);
  for (ValueId id : options.watched) watched[static_cast<size_t>(id)] = true;
  program_ = std::make_unique<Program>(fuse_for_execution(graph, watched));
  Program& program = *program_;
  program.options = std::move(options);
  program.watched = std::move(watched);
  constexpr size_t kNever = static_cast<size_t>(-1);
  std::vector<size_t> last_use(num_values, kNever);
  std::vector<bool> kept(num_values, false);
  for (const GraphOutput& output : program.graph.outputs) kept[static_cast<size_t>(output.value)] = true;
  for (NodeId id : program.graph.topological_order()) {
    const Node& node = program.graph.node(id);
    // A value that nothing reads dies where it is made.
    for (ValueId output : node.outputs) {
      if (output != kNone) last_use[static_cast<size_t>(output)] = program.steps.size();
    }
    for (ValueId input : node.inputs) {
      if (input != kNone) last_use[static_cast<size_t>(input)] = program.steps.size();
    }
    program.steps.push_back(program.make_step(id));
    if (program.options.profile) program.profile.push_back({node.name, node.op_type});
  }
  for (ValueId id = 0; id < program.graph.num_values(); ++id) {
    const auto i = static_cast<size_t>(id);
    if (program.graph.constant(id) != nullptr) {
      if (program.watched[i]) program.watched_constants.push_back(id);
    } else if (!kept[i] && last_use[i] != kNever) {
      program.steps[last_use[i]].last_uses.push_back(id);
    }
  }
}

Executor::~Executor() = default;

// The values of one execution.
class Executor::Run {
 public:
  Run(Program& program, const OnValue& on_value)
      : program_(program), on_value_(on_value), slots_(static_cast<size_t>(program.graph.num_values())) {}

  void set(ValueId id, Tensor tensor) {
    Slot& value = slot(id);
    value.tensor = std::move(tensor);
    if (on_value_ && program_.watched[static_cast<size_t>(id)]) on_value_(id, value.tensor);
  }

  void execute(const Step& step) {
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
    for (ValueId id : step.last_uses) slot(id) = Slot();
  }

  Tensor output(ValueId id) {
    const Tensor* constant = program_.graph.constant(id);
    return to_layout(constant != nullptr ? *constant : slot(id).tensor, Layout::kPlain);
  }

 private:
  Slot& slot(ValueId id) { return slots_[static_cast<size_t>(id)]; }

  const Tensor* resolve(const Argument& argument) {
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

  Program& program_;
  const OnValue& on_value_;
  std::vector<Slot> slots_;
  std::vector<const Tensor*> arguments_;
  std::vector<Tensor> converted_constants_;
  std::vector<Tensor> results_;
};

std::vector<Tensor> Executor::run(const std::vector<Tensor>& inputs, const OnValue& on_value) const {
  Program& program = *program_;
  const Graph& graph = program.graph;
  if (inputs.size() != graph.inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", graph.inputs.size(),
                inputs.size());
  }
  const ThreadScope threads(program.options.threads);
  const AllocatorScope buffers(&program.pool);
  Run run(program, on_value);
  if (on_value) {
    for (ValueId id : program.watched_constants) on_value(id, *graph.constant(id));
  }
  for (size_t i = 0; i < inputs.size(); ++i) run.set(graph.inputs[i], inputs[i]);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (!program.options.profile) {
      run.execute(program.steps[i]);
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    run.execute(program.steps[i]);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const std::lock_guard<std::mutex> lock(program.profile_mutex);
    program.profile[i].seconds += spent.count();
    ++program.profile[i].calls;
  }
  std::vector<Tensor> outputs;
  for (const GraphOutput& output : graph.outputs) outputs.push_back(run.output(output.value));
  return outputs;
}

std::vector<NodeProfile> Executor::profile() const {
  const std::lock_guard<std::mutex> lock(program_->profile_mutex);
  return program_->profile;
}

}  // namespace twofold
