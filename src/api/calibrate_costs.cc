#include "twofold/calibrate_costs.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "api/combination_rows.h"
#include "api/cost_probe.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "plan/target.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

using Pair = std::pair<DType, DType>;

constexpr QType kQTypes[] = {QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32};
constexpr Pair kUnit = {DType::kInt8, DType::kInt8};

// What an operand of a precision is in the engine; nothing for float16.
std::optional<DType> running_type(QType qtype) {
  switch (qtype) {
    case QType::kInt8: return DType::kInt8;
    case QType::kInt16:
    case QType::kEc: return DType::kInt16;
    case QType::kFloat16: return std::nullopt;
    case QType::kFloat32: break;
  }
  return DType::kFloat32;
}

// The pairs that each combination is the first to match.
std::vector<std::set<Pair>> pairs_of(const OperatorRule& rule) {
  std::vector<std::set<Pair>> result(rule.combinations.size());
  for (const QType a : kQTypes) {
    for (const QType b : kQTypes) {
      const QType pair[] = {a, b};
      const auto first =
          std::ranges::find_if(rule.combinations, [&](const Combination& each) { return each.matches(pair); });
      const auto x = running_type(a), w = running_type(b);
      if (first == rule.combinations.end() || !x || !w) continue;
      result[static_cast<size_t>(first - rule.combinations.begin())].insert({*x, *w});
    }
  }
  return result;
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return std::exp(sum / static_cast<double>(values.size()));
}

// Rows of the pairs, int8 x int8 first, to which costs are relative.
std::vector<CostRow> measure(const std::set<Pair>& pairs, const CostOptions& options) {
  std::vector<Pair> order = {kUnit};
  for (const Pair& pair : pairs) {
    if (pair != kUnit) order.push_back(pair);
  }
  std::vector<CostRow> rows;
  double unit = 0;
  int64_t done = 0;
  const auto total = static_cast<int64_t>(order.size() * probe_layers().size());
  for (const auto& [a, b] : order) {
    CostRow row{std::string(to_string(a)), std::string(to_string(b)), {}, 1};
    double sum = 0;
    for (const ProbeLayer& layer : probe_layers()) {
      if (options.progress) options.progress("measure", done++, total);
      const double seconds = probe(layer, a, b, options.threads, options.seconds);
      row.picoseconds.push_back(seconds / static_cast<double>(layer.macs()) * 1e12);
      sum += seconds;
    }
    if (rows.empty()) unit = sum;
    row.cost = sum / unit;
    rows.push_back(std::move(row));
  }
  if (options.progress) options.progress("measure", total, total);
  return rows;
}

// The mean cost of the pairs; nothing where there are none.
std::optional<double> cost_of(const std::set<Pair>& pairs, const std::vector<CostRow>& rows) {
  std::vector<double> costs;
  for (const CostRow& row : rows) {
    const bool counts = std::ranges::any_of(
        pairs, [&](const Pair& pair) { return to_string(pair.first) == row.a && to_string(pair.second) == row.b; });
    if (counts) costs.push_back(row.cost);
  }
  if (costs.empty()) return std::nullopt;
  return geometric_mean(costs);
}

}  // namespace

CostReport calibrate_costs(const CostOptions& options) {
  const CancellationScope scope(options.cancelled);
  const Target target = load_target(options.target);
  const OperatorRule& rule = target.rule(op::kConv);
  const std::vector<std::set<Pair>> pairs = pairs_of(rule);
  std::set<Pair> all;
  for (const std::set<Pair>& own : pairs) all.insert(own.begin(), own.end());
  const ThreadScope threads(options.threads);
  CostReport report;
  report.target = target.name;
  report.threads = num_threads();
  for (const ProbeLayer& layer : probe_layers()) {
    report.layers.push_back({layer.name, layer.input, layer.macs()});
  }
  report.rows = measure(all, options);
  report.combinations = combination_rows(rule);
  for (size_t i = 0; i < pairs.size(); ++i) {
    CombinationRow& row = report.combinations[i];
    row.cost = cost_of(pairs[i], report.rows).value_or(row.cost);
  }
  return report;
}

std::string target_line(const CombinationRow& combination) {
  const auto list = [](const auto& words) { return fmt::format("[{}]", fmt::join(words, ", ")); };
  std::string inputs;
  if (combination.inputs.size() == 1) {
    inputs = "each_input: " + list(combination.inputs[0]);
  } else {
    std::vector<std::string> words;
    for (const std::vector<std::string>& input : combination.inputs) {
      words.push_back(input.size() == 1 ? input[0] : list(input));
    }
    inputs = "inputs: " + list(words);
  }
  const bool any_output = combination.outputs == std::vector<std::string>{"int8", "int16", "float16", "float32"};
  const std::string outputs = any_output ? "" : ", outputs: " + list(combination.outputs);
  return fmt::format("- {{{}{}, cost: {:.3g}}}", inputs, outputs, std::round(combination.cost * 10) / 10);
}

}  // namespace twofold
