#include "api/operand_numbers.h"

#include <algorithm>

#include "base/error.h"
#include "base/nearest_names.h"
#include "debug/operand_statistics.h"
#include "plan/node_names.h"

namespace twofold {

namespace {

constexpr size_t kBins = 256;

NumberRow row_of(const Moments& moments) { return {moments.min, moments.max, moments.mean, moments.deviation}; }

// What names stand for.
struct Named {
  std::set<std::string> nodes, tensors;

  bool has(const std::string& node, const std::string& tensor) const {
    return nodes.contains(node) || tensors.contains(tensor);
  }
};

Named looked_up(const Graph& graph, const std::vector<std::string>& names) {
  const NodeNames known(graph);
  Named named;
  for (const std::string& name : names) {
    const std::vector<NodeId> found = known.find(graph, name);
    for (const NodeId id : found) named.nodes.insert(graph.node(id).name);
    if (!found.empty()) continue;
    if (graph.find_value(name) == kNone) {
      std::vector<std::string> all = known.all();
      for (ValueId id = 0; id < graph.num_values(); ++id) all.push_back(graph.value(id).name);
      throw_error(ErrorCode::kNotFound, "the model has no node or tensor '{}'; the nearest are {}", name,
                  quoted_list(nearest_names(name, all, 3)));
    }
    named.tensors.insert(name);
  }
  return named;
}

std::map<std::string, double> all_metrics(const ErrorSums& error) {
  std::map<std::string, double> metrics;
  for (const Metric metric : kAllMetrics) metrics[std::string(to_string(metric))] = error.value(metric);
  return metrics;
}

OperandNumbers numbers_of(const OperandPlan& operand, const OperandStatistics& statistics) {
  OperandNumbers row{operand.node, operand.op_type, to_string(operand.operand), operand.value, operand.is_weight};
  row.precision = to_string(operand.granted);
  row.shape = statistics.shape;
  const QParams& params = *operand.params;
  row.scales = static_cast<int>(params.scale.size());
  row.scale = *std::ranges::max_element(params.scale);
  row.zero_point = params.zero_point.empty() || row.scales > 1 ? 0 : params.zero_point[0];
  row.threshold = operand.threshold;
  row.range = range_of(operand);
  row.clipped = statistics.clipped;
  row.before = row_of(statistics.before);
  row.after = row_of(statistics.after);
  row.metrics = all_metrics(statistics.error);
  row.worst_channels = statistics.worst_channels;
  row.low = statistics.bins.low;
  row.step = statistics.bins.step;
  row.counts_before = statistics.bins.before;
  row.counts_after = statistics.bins.after;
  return row;
}

}  // namespace

std::vector<double> range_of(const OperandPlan& operand) {
  const QParams& params = *operand.params;
  if (params.scale.size() != 1) return {};
  if (params.zero_point.empty()) return {-operand.threshold, operand.threshold};
  const double zero = params.zero_point[0];
  return {(qmin(params.qtype) - zero) * params.scale[0], (qmax(params.qtype) - zero) * params.scale[0]};
}

std::vector<size_t> operands_named(DebugCase& subject, const std::vector<std::string>& names) {
  const Named named = looked_up(subject.graph(), names);
  const Plan& plan = subject.plan();
  std::vector<size_t> operands;
  std::set<std::string> met;
  std::set<std::tuple<std::string, QType, std::vector<float>>> seen;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (!is_integer(operand.granted)) continue;
    if (!names.empty() && !named.has(operand.node, operand.value)) continue;
    if (names.empty() && !seen.emplace(operand.value, operand.granted, operand.params->scale).second) continue;
    operands.push_back(i);
    met.insert(operand.node);
    met.insert(operand.value);
  }
  for (const auto* wanted : {&named.nodes, &named.tensors}) {
    for (const std::string& name : *wanted) {
      if (met.contains(name)) continue;
      throw_error(ErrorCode::kInvalidArgument, "the plan makes no integers of '{}'", name);
    }
  }
  return operands;
}

std::vector<size_t> operands_of_all_readers(DebugCase& subject, const std::vector<std::string>& names) {
  const Named named = looked_up(subject.graph(), names);
  std::vector<size_t> operands;
  for (size_t i = 0; i < subject.plan().operands().size(); ++i) {
    const OperandPlan& operand = subject.plan().operands()[i];
    if (is_integer(operand.granted) && (names.empty() || named.has(operand.node, operand.value))) operands.push_back(i);
  }
  return operands;
}

std::vector<OperandNumbers> operand_numbers(DebugCase& subject, const std::vector<size_t>& operands, int64_t data_num) {
  std::vector<OperandNumbers> rows;
  for (const OperandStatistics& statistics : operand_statistics(subject.measured(data_num), subject.plan(), operands,
                                                                kBins, subject.progress_of("numbers"))) {
    rows.push_back(numbers_of(subject.plan().operands()[statistics.operand], statistics));
  }
  return rows;
}

std::vector<OperandNumbers> computed_numbers(DebugCase& subject, const std::vector<std::string>& names,
                                             int64_t data_num) {
  const Named named = looked_up(subject.graph(), names);
  std::vector<OperandNumbers> rows;
  for (const ComputedTensor& tensor : computed_tensors(subject.measured(data_num), subject.plan())) {
    if (!names.empty() && !named.has(tensor.node, tensor.tensor)) continue;
    const Node& node = subject.graph().node(subject.graph().find_node(tensor.node));
    OperandNumbers row{tensor.node, node.op_type, to_string(OperandRef::output(tensor.output)), tensor.tensor};
    row.precision = to_string(QType::kFloat32);
    row.shape = tensor.shape;
    row.before = row_of(tensor.before);
    row.after = row_of(tensor.after);
    row.metrics = all_metrics(tensor.error);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace twofold
