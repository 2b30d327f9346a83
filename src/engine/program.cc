#include "engine/program.h"

#include "base/cancellation.h"
#include "dialect/registry.h"
#include "engine/fuse.h"

namespace twofold {

namespace {

constexpr size_t kNever = static_cast<size_t>(-1);

std::vector<bool> marked(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<bool> result(static_cast<size_t>(graph.num_values()), false);
  for (ValueId id : ids) result[static_cast<size_t>(id)] = true;
  return result;
}

Graph fused(Graph graph, const std::vector<ValueId>& watched) {
  check_operators(graph);
  const std::vector<bool> marks = marked(graph, watched);
  return fuse_for_execution(std::move(graph), marks);
}

}  // namespace

void throw_at(const Node& node, const Error& error) {
  throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
}

Executor::Program::Program(Graph given, ExecutorOptions with, ProgramCache* cache,
                           const std::vector<ContentHash>* part_inputs)
    : graph(fused(std::move(given), with.watched)),
      options(std::move(with)),
      watched(marked(graph, options.watched)),
      pool(cache == nullptr ? BufferPool() : cache->pool) {
  if (cache != nullptr) {
    keys = part_inputs == nullptr ? cache->keys.of(graph) : cache->keys.of_part(graph, *part_inputs);
  }
  const auto num_values = static_cast<size_t>(graph.num_values());
  std::vector<size_t> last_use(num_values, kNever);
  std::vector<bool> kept(num_values, false);
  for (const GraphOutput& output : graph.outputs) kept[static_cast<size_t>(output.value)] = true;
  for (NodeId id : graph.topological_order()) {
    throw_if_cancelled();
    const Node& node = graph.node(id);
    // A value that nothing reads dies where it is made.
    for (ValueId output : node.outputs) {
      if (output != kNone) last_use[static_cast<size_t>(output)] = steps.size();
    }
    for (ValueId input : node.inputs) {
      if (input != kNone) last_use[static_cast<size_t>(input)] = steps.size();
    }
    steps.push_back(make_step(id, cache));
    if (options.profile) profile.push_back({node.name, node.op_type});
  }
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const auto i = static_cast<size_t>(id);
    if (graph.constant(id) != nullptr) {
      if (watched[i]) watched_constants.push_back(id);
    } else if (!kept[i] && last_use[i] != kNever) {
      steps[last_use[i]].last_uses.push_back(id);
    }
  }
  drop_packed_constants();
}

// Lets the elements of constants go that kernels have packed, and that nobody else reads. Type and shape stay.
void Executor::Program::drop_packed_constants() {
  std::vector<bool> needed(static_cast<size_t>(graph.num_values()), false);
  for (const GraphOutput& output : graph.outputs) needed[static_cast<size_t>(output.value)] = true;
  for (ValueId id : watched_constants) needed[static_cast<size_t>(id)] = true;
  for (const Step& step : steps) {
    for (size_t i = 0; i < step.arguments.size(); ++i) {
      const Argument& argument = step.arguments[i];
      if (argument.constant == nullptr || !step.kernel->reads_constant(static_cast<int>(i))) continue;
      needed[static_cast<size_t>(argument.value)] = true;
    }
  }
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || needed[static_cast<size_t>(id)]) continue;
    graph.set_constant(id, Tensor::wrap(constant->dtype(), constant->shape(), nullptr, nullptr));
  }
}

void Executor::Program::check_inputs(const std::vector<Tensor>& inputs) const {
  if (inputs.size() == graph.inputs.size()) return;
  throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", graph.inputs.size(),
              inputs.size());
}

Step Executor::Program::make_step(NodeId id, ProgramCache* cache) const {
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
    const auto make = [&args] { return make_kernel(args); };
    step.kernel = cache == nullptr ? make() : cache->kernels.find(cache->keys.of_operator(graph, node, keys), make);
  } catch (const Error& error) {
    throw_at(node, error);
  }
  return step;
}

}  // namespace twofold
