#include "twofold/targets.h"

#include <algorithm>

#include "api/combination_rows.h"
#include "plan/target.h"

namespace twofold {

namespace {

std::vector<std::string> words(const std::vector<QType>& qtypes) {
  std::vector<std::string> result;
  for (const QType qtype : qtypes) result.emplace_back(to_string(qtype));
  return result;
}

OperatorRow operator_row(std::string op, const OperatorRule& rule) {
  return {{std::move(op)}, rule.note, rule.moves_data, rule.quantized_by_default, combination_rows(rule)};
}

// A row per rule, with all operators that have it.
std::vector<OperatorRow> operator_rows(const Target& target) {
  std::vector<OperatorRow> rows;
  std::vector<const OperatorRule*> rules;
  for (const auto& [op, rule] : target.operators) {
    const auto same = std::ranges::find_if(rules, [&](const OperatorRule* other) { return *other == rule; });
    if (same != rules.end()) {
      rows[static_cast<size_t>(same - rules.begin())].ops.push_back(op);
      continue;
    }
    rules.push_back(&rule);
    rows.push_back(operator_row(op, rule));
  }
  rows.push_back(operator_row("*", target.others));
  return rows;
}

}  // namespace

std::vector<CombinationRow> combination_rows(const OperatorRule& rule) {
  std::vector<CombinationRow> rows;
  for (const Combination& combination : rule.combinations) {
    CombinationRow& added = rows.emplace_back();
    for (const std::vector<QType>& input : combination.inputs) added.inputs.push_back(words(input));
    added.outputs = words(combination.outputs);
    added.cost = combination.cost;
  }
  return rows;
}

std::vector<std::string> target_names() { return list_targets(); }

TargetReport describe_target(std::string_view name_or_path) {
  const Target target = load_target(name_or_path);
  TargetReport report;
  report.name = target.name;
  report.description = target.description;
  report.fallback = to_string(target.fallback);
  if (target.compiler) report.compiler = {target.compiler->name, target.compiler->min_version, target.compiler->reason};
  report.epilogues.assign(target.epilogues.begin(), target.epilogues.end());
  report.operators = operator_rows(target);
  return report;
}

}  // namespace twofold
