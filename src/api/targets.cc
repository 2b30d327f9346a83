#include "twofold/targets.h"

#include <algorithm>
#include <set>

#include "api/combination_rows.h"
#include "plan/target.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

std::vector<std::string> words(const std::vector<QType>& qtypes) {
  std::vector<std::string> result;
  for (const QType qtype : qtypes) result.emplace_back(to_string(qtype));
  return result;
}

// What a row says of its operators.
struct RowFacts {
  OperatorRule rule;
  bool moves = false, quantized = false;

  bool operator==(const RowFacts&) const = default;
};

OperatorRow operator_row(std::string op, const RowFacts& facts) {
  return {{std::move(op)}, facts.rule.note, facts.moves, facts.quantized, combination_rows(facts.rule)};
}

// The operators that a row names: those with a rule of their own, and those under "*" that are quantized by default,
// unless the rule says it of all.
std::set<std::string> named_operators(const Target& target) {
  std::set<std::string> names;
  for (const auto& [op, rule] : target.operators) names.insert(op);
  if (target.others.quantized_by_default) return names;
  for (const OpTraits& traits : all_traits()) {
    if (traits.quantized) names.emplace(traits.op_type);
  }
  return names;
}

// A row per rule, with all operators that have it.
std::vector<OperatorRow> operator_rows(const Target& target) {
  std::vector<OperatorRow> rows;
  std::vector<RowFacts> known;
  for (const std::string& op : named_operators(target)) {
    RowFacts facts{target.rule(op), moves_data(traits_of(op)), target.quantizes_by_default(op)};
    const auto same = std::ranges::find(known, facts);
    if (same != known.end()) {
      rows[static_cast<size_t>(same - known.begin())].ops.push_back(op);
      continue;
    }
    rows.push_back(operator_row(op, facts));
    known.push_back(std::move(facts));
  }
  rows.push_back(operator_row("*", {target.others, false, target.others.quantized_by_default.value_or(false)}));
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
  report.asymmetric = target.asymmetric;
  if (target.compiler) report.compiler = {target.compiler->name, target.compiler->min_version, target.compiler->reason};
  report.shared_scales = target.shared_scales;
  report.epilogues.assign(target.epilogues.begin(), target.epilogues.end());
  report.operators = operator_rows(target);
  return report;
}

}  // namespace twofold
