#include "debug/causes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "base/parallel_for.h"
#include "base/parallel_tasks.h"
#include "debug/channel_of.h"
#include "debug/clipped.h"
#include "debug/observe_tensors.h"
#include "debug/trials_of_threads.h"
#include "quantize/decide.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// A form of the model in which one operand is changed in float32.
enum class Form : uint8_t { kClipped, kRounded, kPerChannel };

// What was seen of an operand's tensor.
struct Seen {
  int rank = 0, axis = -1;
  std::vector<float> channel_max;  // largest magnitude of every channel
  float largest = 0;
  uint64_t count = 0, clipped = 0;
};

// The least and the largest number of a range. One per channel where there are several scales.
struct Bounds {
  explicit Bounds(const QParams& params) {
    for (size_t c = 0; c < params.scale.size(); ++c) {
      const int32_t zero = params.zero_point.empty() ? 0 : params.zero_point[c];
      low.push_back(params.scale[c] * static_cast<float>(qmin(params.qtype) - zero));
      high.push_back(params.scale[c] * static_cast<float>(qmax(params.qtype) - zero));
    }
  }
  std::vector<float> low, high;
};

void see(const Tensor& tensor, const QParams& params, Seen& seen) {
  const ChannelOf channel(tensor.shape(), seen.axis);
  seen.channel_max.resize(std::max(seen.channel_max.size(), channel.count()), 0);
  const std::span<const float> x = tensor.data<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    float& largest = seen.channel_max[channel(i)];
    largest = std::max(largest, std::fabs(x[i]));
  }
  seen.clipped += count_clipped(tensor, params);
  seen.count += x.size();
  seen.largest = *std::max_element(seen.channel_max.begin(), seen.channel_max.end());
}

// The channels that stand out: the few (one in twenty, at least one) without which the range would be at most half.
std::vector<int> outstanding(const std::vector<float>& channel_max) {
  if (channel_max.size() < 4) return {};
  std::vector<int> order(channel_max.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::ranges::stable_sort(order, std::greater(), [&](int c) { return channel_max[static_cast<size_t>(c)]; });
  const float largest = channel_max[static_cast<size_t>(order[0])];
  const size_t few = std::max<size_t>(1, channel_max.size() / 20);
  for (size_t n = 1; n <= few; ++n) {
    if (channel_max[static_cast<size_t>(order[n])] * 2 <= largest) {
      return {order.begin(), order.begin() + static_cast<ptrdiff_t>(n)};
    }
  }
  return {};
}

class CauseFinder {
 public:
  CauseFinder(CalibratedModel& model, const Plan& plan, const std::vector<size_t>& operands,
              const std::vector<size_t>& outputs, const SensitivityOptions& options)
      : model_(model), plan_(plan), graph_(model.graph()), operands_(operands), outputs_(outputs), options_(options) {}

  std::vector<OperandCause> run() {
    for (const size_t position : operands_) {
      const OperandPlan& operand = plan_.operands()[position];
      result_.push_back({operand.node, operand.value, operand.operand, operand.granted});
      result_.back().threshold = operand.threshold;
    }
    observe();
    measure();
    for (OperandCause& cause : result_) cause.cause = cause_of(cause);
    return std::move(result_);
  }

 private:
  const OperandPlan& operand(size_t i) const { return plan_.operands()[operands_[i]]; }
  ValueId value(size_t i) const { return graph_.find_value(operand(i).value); }

  void observe() {
    seen_.resize(operands_.size());
    std::multimap<ValueId, size_t> of_value;
    for (size_t i = 0; i < operands_.size(); ++i) of_value.emplace(value(i), i);
    std::set<ValueId> values;
    for (const auto& [id, i] : of_value) values.insert(id);
    observe_tensors(model_, values, [&](ValueId id, const Tensor& tensor) {
      const auto [begin, end] = of_value.equal_range(id);
      for (auto it = begin; it != end; ++it) {
        const OperandPlan& planned = operand(it->second);
        Seen& seen = seen_[it->second];
        const Node& node = graph_.node(graph_.find_node(planned.node));
        seen.rank = tensor.rank();
        seen.axis = channel_axis(graph_, node, planned.operand.index, tensor.rank());
        see(tensor, *planned.params, seen);
      }
    });
    for (size_t i = 0; i < operands_.size(); ++i) {
      OperandCause& cause = result_[i];
      const Seen& seen = seen_[i];
      cause.largest = seen.largest;
      cause.clipped = seen.count == 0 ? 0 : static_cast<double>(seen.clipped) / static_cast<double>(seen.count);
      // Of a weight with a scale per output channel none can be too coarse for another.
      if (operand(i).params->scale.size() == 1) cause.channels = outstanding(seen.channel_max);
      for (size_t c = 0; c < seen.channel_max.size() && !cause.channels.empty(); ++c) {
        if (std::ranges::find(cause.channels, static_cast<int>(c)) != cause.channels.end()) continue;
        cause.others = std::max(cause.others, seen.channel_max[c]);
      }
    }
  }

  void measure() {
    const ThreadScope threads(options_.threads);
    Trials base(model_, {.memory_cap = options_.memory_cap, .threads = 1});
    base.set_base({});
    TrialsOfThreads trials(std::move(base));
    std::mutex telling;
    parallel_tasks(static_cast<int64_t>(operands_.size()), [&](int64_t task) {
      const auto i = static_cast<size_t>(task);
      trials.with([&](Trials& mine) { measure_forms(mine, i); });
      const std::lock_guard<std::mutex> lock(telling);
      if (options_.on_unit) options_.on_unit(i, {});
    });
  }

  void measure_forms(Trials& trials, size_t i) {
    OperandCause& cause = result_[i];
    const auto noise = [&](auto variant) { return sensitivity_of(trials.errors(std::move(variant))).noise(outputs_); };
    cause.noise = noise(std::vector{decided_operand(graph_, operand(i))});
    cause.rounding = noise(changed(i, Form::kRounded));
    if (cause.clipped > 0) cause.clipping = noise(changed(i, Form::kClipped));
    if (!cause.channels.empty()) cause.per_channel = noise(changed(i, Form::kPerChannel));
  }

  // A constant that varies along `axis` of a tensor of rank `rank`.
  static Tensor along(const std::vector<float>& values, int axis, int rank) {
    Shape shape;
    if (values.size() > 1) {
      shape.assign(static_cast<size_t>(rank), 1);
      shape[static_cast<size_t>(axis)] = static_cast<int64_t>(values.size());
    }
    Tensor tensor(DType::kFloat32, shape);
    std::ranges::copy(values, tensor.mutable_data<float>().begin());
    return tensor;
  }

  // The model with the operand clipped, rounded, or rounded per channel in float32.
  Graph changed(size_t i, Form form) const {
    Graph graph = graph_;
    const OperandPlan& planned = operand(i);
    const int rank = seen_[i].rank;
    const QParams& params = *planned.params;
    const auto add = [&graph](std::string_view op_type, std::vector<ValueId> inputs) {
      const ValueId result = graph.add_value(graph.unique_value_name("changed"), {DType::kFloat32, std::nullopt});
      graph.add_node({"", std::string(op_type), "", std::move(inputs), {result}, {}});
      return result;
    };
    const auto constant = [&](const std::vector<float>& values, int axis) {
      return graph.add_constant(graph.unique_value_name("changed_by"), along(values, axis, rank));
    };
    ValueId x = value(i);
    if (form == Form::kClipped) {
      const Bounds bounds(params);
      x = add(op::kMax, {x, constant(bounds.low, params.axis)});
      x = add(op::kMin, {x, constant(bounds.high, params.axis)});
    } else {
      const bool per_channel = form == Form::kPerChannel;
      const ValueId scale =
          per_channel ? constant(channel_scales(i), seen_[i].axis) : constant(params.scale, params.axis);
      x = add(op::kMul, {add(op::kRound, {add(op::kDiv, {x, scale})}), scale});
    }
    const NodeId node = graph.find_node(planned.node);
    graph.set_input(node, planned.operand.index, x);
    return graph;
  }

  // The scales that each channel would have for itself.
  std::vector<float> channel_scales(size_t i) const {
    std::vector<float> scales;
    for (const float largest : seen_[i].channel_max) scales.push_back(symmetric_scale(largest, QType::kInt8));
    return scales;
  }

  // Half of it decides.
  static Cause cause_of(const OperandCause& cause) {
    if (cause.clipping * 2 > cause.noise) return Cause::kClipping;
    if (!cause.channels.empty() && cause.per_channel * 2 < cause.rounding) return Cause::kChannels;
    return Cause::kRounding;
  }

  CalibratedModel& model_;
  const Plan& plan_;
  const Graph& graph_;
  const std::vector<size_t>& operands_;
  const std::vector<size_t>& outputs_;
  const SensitivityOptions& options_;
  std::vector<OperandCause> result_;
  std::vector<Seen> seen_;
};

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kClipping: return "clipping";
    case Cause::kChannels: return "a few channels";
    case Cause::kRounding: return "rounding";
  }
  return "rounding";
}

std::vector<OperandCause> find_causes(CalibratedModel& model, const Plan& plan, const std::vector<size_t>& operands,
                                      const std::vector<size_t>& outputs, const SensitivityOptions& options) {
  return CauseFinder(model, plan, operands, outputs, options).run();
}

}  // namespace twofold
