#include "engine/executor.h"

#include <algorithm>

#include "base/check.h"
#include "base/parallel_for.h"
#include "ops/layout.h"

namespace twofold {

namespace {

// One node made ready: its kernel and the values it reads for the last time.
struct Step {
  NodeId node;
  std::unique_ptr<Kernel> kernel;
  bool any_layout;
  std::vector<ValueId> last_uses;
};

}  // namespace

struct Executor::Program {
  const Graph* graph;
  ExecutorOptions options;
  std::vector<Step> steps;
  std::vector<bool> watched;
};

Executor::Executor(const Graph& graph, ExecutorOptions options) {
  check_operators(graph);
  auto program = std::make_unique<Program>();
  program->graph = &graph;
  program->watched.resize(static_cast<size_t>(graph.num_values()), false);
  for (ValueId id : options.watched) program->watched[static_cast<size_t>(id)] = true;
  const ExecutorOptions body_options{options.threads, {}};
  std::vector<size_t> last_use(static_cast<size_t>(graph.num_values()), 0);
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    KernelArgs args{node, {}, [body_options](const Graph& body) -> GraphRunner {
                      auto executor = std::make_shared<Executor>(body, body_options);
                      return [executor](const std::vector<Tensor>& inputs) { return executor->run(inputs); };
                    }};
    for (ValueId input : node.inputs) {
      args.constants.push_back(graph.constant(input));
      if (input != kNone) last_use[static_cast<size_t>(input)] = program->steps.size();
    }
    try {
      program->steps.push_back({id, make_kernel(args), find_op(node.domain, node.op_type)->any_layout, {}});
    } catch (const Error& error) {
      throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
    }
  }
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.consumers(id).empty() || graph.is_output(id)) continue;
    program->steps[last_use[static_cast<size_t>(id)]].last_uses.push_back(id);
  }
  program->options = std::move(options);
  program_ = std::move(program);
}

Executor::~Executor() = default;

std::vector<Tensor> Executor::run(const std::vector<Tensor>& inputs, const OnValue& on_value) const {
  const Graph& graph = *program_->graph;
  if (inputs.size() != graph.inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", graph.inputs.size(),
                inputs.size());
  }
  const ThreadScope threads(program_->options.threads);
  std::vector<Tensor> values(static_cast<size_t>(graph.num_values()));
  const auto tell = [&](ValueId id) {
    const auto i = static_cast<size_t>(id);
    if (on_value && program_->watched[i]) on_value(id, values[i]);
  };
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* constant = graph.constant(id)) {
      values[static_cast<size_t>(id)] = *constant;
      tell(id);
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<size_t>(graph.inputs[i])] = inputs[i];
    tell(graph.inputs[i]);
  }
  for (const Step& step : program_->steps) {
    const Node& node = graph.node(step.node);
    std::vector<const Tensor*> arguments;
    for (ValueId input : node.inputs) {
      if (input == kNone) {
        arguments.push_back(nullptr);
        continue;
      }
      Tensor& value = values[static_cast<size_t>(input)];
      if (!step.any_layout) value = to_layout(value, Layout::kPlain);
      arguments.push_back(&value);
    }
    std::vector<Tensor> results(node.outputs.size());
    OpCall call(node, arguments, results, nullptr);
    try {
      step.kernel->run(call);
    } catch (const Error& error) {
      throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
    }
    for (size_t i = 0; i < results.size(); ++i) {
      if (node.outputs[i] == kNone) continue;
      values[static_cast<size_t>(node.outputs[i])] = std::move(results[i]);
      tell(node.outputs[i]);
    }
    for (ValueId id : step.last_uses) values[static_cast<size_t>(id)] = Tensor();
  }
  std::vector<Tensor> outputs;
  for (const GraphOutput& output : graph.outputs) {
    outputs.push_back(to_layout(values[static_cast<size_t>(output.value)], Layout::kPlain));
  }
  return outputs;
}

}  // namespace twofold
