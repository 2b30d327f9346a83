#include "plan/target.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/files.h"
#include "base/nearest_names.h"
#include "plan/config_reader.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

constexpr std::array kAllQTypes = {QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32};

QType read_qtype(const ConfigValue& value) {
  std::array<std::string_view, kAllQTypes.size()> words;
  std::transform(kAllQTypes.begin(), kAllQTypes.end(), words.begin(), [](QType qtype) { return to_string(qtype); });
  return kAllQTypes[value.word(words)];
}

std::vector<QType> read_qtypes(const ConfigValue& value) {
  std::vector<QType> result;
  for (const ConfigValue& item : value.items_or_self()) result.push_back(read_qtype(item));
  return result;
}

void set_inputs(const ConfigValue& value, Combination& out, std::vector<std::vector<QType>> inputs) {
  if (!out.inputs.empty()) value.fail("a combination has either 'inputs' or 'each_input'");
  out.inputs = std::move(inputs);
}

constexpr ConfigKey<Combination> kCombinationKeys[] = {
    {"inputs",
     [](const ConfigValue& value, Combination& out) {
       std::vector<std::vector<QType>> inputs;
       for (const ConfigValue& item : value.items_or_self()) inputs.push_back(read_qtypes(item));
       set_inputs(value, out, std::move(inputs));
     }},
    {"each_input", [](const ConfigValue& value, Combination& out) { set_inputs(value, out, {read_qtypes(value)}); }},
    {"outputs", [](const ConfigValue& value, Combination& out) { out.outputs = read_qtypes(value); }},
    {"cost", [](const ConfigValue& value, Combination& out) { out.cost = value.number(0.0, 1e6); }},
};

// A rule while it is read, with the operators it is for.
struct RuleDraft {
  std::vector<std::string> ops;
  OperatorRule rule;
  std::optional<ConfigValue> moves_data;
};

void read_combinations(const ConfigValue& value, RuleDraft& out) {
  for (const ConfigValue& item : value.items()) {
    Combination combination;
    read_map<Combination>(item, kCombinationKeys, combination);
    if (combination.inputs.empty()) item.fail("a combination needs 'inputs' or 'each_input'");
    if (combination.outputs.empty()) {
      combination.outputs = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};
    }
    out.rule.combinations.push_back(std::move(combination));
  }
}

constexpr ConfigKey<RuleDraft> kRuleKeys[] = {
    {"ops",
     [](const ConfigValue& value, RuleDraft& out) {
       for (const ConfigValue& item : value.items_or_self()) out.ops.push_back(item.text());
     }},
    {"default",
     [](const ConfigValue& value, RuleDraft& out) {
       static constexpr std::string_view kWords[] = {"quantized", "float32"};
       out.rule.quantized_by_default = value.word(kWords) == 0;
     }},
    {"moves_data", [](const ConfigValue& value, RuleDraft& out) { out.moves_data = value; }},
    {"note", [](const ConfigValue& value, RuleDraft& out) { out.rule.note = value.text(); }},
    {"combinations", read_combinations},
};

// Whether an operator only moves numbers is known of it, and no choice of hardware: a file may repeat it.
void check_moves_data(const RuleDraft& draft, const Target& target) {
  const bool said = draft.moves_data->boolean();
  const auto check = [&](const OpTraits& traits) {
    if (moves_numbers(traits.effect) == said) return;
    draft.moves_data->fail(fmt::format("{} {}; leave 'moves_data' out: which operators do is known", traits.op_type,
                                       said ? "computes other numbers than it is given, and so does not move data"
                                            : "only moves or clamps numbers, and so moves data"));
  };
  for (const std::string& op : draft.ops) {
    if (op != "*") {
      if (const OpTraits* traits = find_traits(op)) check(*traits);
      continue;
    }
    for (const OpTraits& traits : all_traits()) {
      if (traits.data != DataInputs::kNone && !target.operators.contains(traits.op_type)) check(traits);
    }
  }
}

void read_operators(const ConfigValue& value, Target& out) {
  std::vector<RuleDraft> drafts;
  for (const ConfigValue& item : value.items()) {
    RuleDraft draft;
    read_map<RuleDraft>(item, kRuleKeys, draft);
    if (draft.ops.empty()) item.fail("a rule needs 'ops': the operators it is for, or \"*\" for all others");
    if (draft.rule.combinations.empty()) item.fail("a rule needs 'combinations'");
    for (const std::string& op : draft.ops) {
      if (op == "*" ? !out.others.combinations.empty() : out.operators.contains(op)) {
        item.fail(fmt::format("there are two rules for '{}'", op));
      }
      (op == "*" ? out.others : out.operators[op]) = draft.rule;
    }
    drafts.push_back(std::move(draft));
  }
  for (const RuleDraft& draft : drafts) {
    if (draft.moves_data) check_moves_data(draft, out);
  }
}

// The numbers of "4.3.3"; empty if the text is not a version.
std::vector<int> parse_version(std::string_view text) {
  std::vector<int> numbers;
  const char* cursor = text.data();
  const char* const end = text.data() + text.size();
  while (true) {
    int number = 0;
    const auto [next, error] = std::from_chars(cursor, end, number);
    if (error != std::errc() || number < 0) return {};
    numbers.push_back(number);
    if (next == end) return numbers;
    if (*next != '.') return {};
    cursor = next + 1;
  }
}

constexpr ConfigKey<CompilerRequirement> kCompilerKeys[] = {
    {"name", [](const ConfigValue& value, CompilerRequirement& out) { out.name = value.text(); }},
    {"min_version",
     [](const ConfigValue& value, CompilerRequirement& out) {
       out.min_version = value.text();
       if (parse_version(out.min_version).empty()) value.fail("must be a version, for example 4.3.3");
     }},
    {"reason", [](const ConfigValue& value, CompilerRequirement& out) { out.reason = value.text(); }},
};

constexpr ConfigKey<Target> kTargetKeys[] = {
    {"name", [](const ConfigValue& value, Target& out) { out.name = value.text(); }},
    {"description", [](const ConfigValue& value, Target& out) { out.description = value.text(); }},
    {"fallback",
     [](const ConfigValue& value, Target& out) {
       static constexpr std::string_view kWords[] = {"v1", "v2"};
       out.fallback = value.word(kWords) == 0 ? FallbackPolicy::kV1 : FallbackPolicy::kV2;
     }},
    {"epilogues",
     [](const ConfigValue& value, Target& out) {
       for (const ConfigValue& item : value.items()) out.epilogues.insert(item.text());
     }},
    {"compiler",
     [](const ConfigValue& value, Target& out) {
       out.compiler.emplace();
       read_map<CompilerRequirement>(value, kCompilerKeys, *out.compiler);
       if (out.compiler->name.empty() || out.compiler->min_version.empty() || out.compiler->reason.empty()) {
         value.fail("needs 'name', 'min_version' and 'reason'");
       }
     }},
    {"asymmetric", [](const ConfigValue& value, Target& out) { out.asymmetric = value.boolean(); }},
    {"shared_scales", [](const ConfigValue& value, Target& out) { out.shared_scales = value.boolean(); }},
    {"operators", read_operators},
};

bool is_path(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.ends_with(".yaml") || text.ends_with(".yml") ||
         text.ends_with(".json");
}

}  // namespace

std::string_view to_string(FallbackPolicy policy) { return policy == FallbackPolicy::kV1 ? "v1" : "v2"; }

bool Combination::matches(std::span<const QType> qtypes) const {
  for (size_t i = 0; i < qtypes.size(); ++i) {
    const std::vector<QType>& allowed = input(i);
    if (std::find(allowed.begin(), allowed.end(), qtypes[i]) == allowed.end()) return false;
  }
  return true;
}

const OperatorRule& Target::rule(std::string_view op_type) const {
  const auto it = operators.find(op_type);
  return it == operators.end() ? others : it->second;
}

bool Target::quantizes_by_default(std::string_view op_type) const {
  return rule(op_type).quantized_by_default.value_or(traits_of(op_type).quantized);
}

double Target::cost(std::string_view op_type, std::span<const QType> inputs) const {
  double dearest = 0;
  for (const Combination& combination : rule(op_type).combinations) {
    if (combination.matches(inputs)) return combination.cost;
    dearest = std::max(dearest, combination.cost);
  }
  return dearest;
}

Target parse_target(std::string_view text, std::string_view label) {
  const YamlNode tree = parse_relaxed_yaml(text, label);
  const ConfigValue root(tree, label);
  Target target;
  read_map<Target>(root, kTargetKeys, target);
  if (target.name.empty()) root.fail("a target needs 'name'");
  if (target.others.combinations.empty()) root.fail("'operators' needs a rule with ops: \"*\" for all others");
  return target;
}

Target load_target(std::string_view name_or_path) {
  for (const BuiltInTarget& target : built_in_targets()) {
    if (target.name == name_or_path) return parse_target(target.text, fmt::format("{}.yaml", target.name));
  }
  if (is_path(name_or_path)) return parse_target(read_text_file(name_or_path), name_or_path);
  throw_error(ErrorCode::kNotFound,
              "there is no target '{}'; there are {}, and files of your own are named with their path or .yaml",
              name_or_path, quoted_list(list_targets()));
}

std::vector<std::string> list_targets() {
  std::vector<std::string> names;
  for (const BuiltInTarget& target : built_in_targets()) names.emplace_back(target.name);
  std::sort(names.begin(), names.end());
  return names;
}

void check_compiler_version(const Target& target, std::string_view version) {
  const std::vector<int> numbers = parse_version(version);
  if (numbers.empty()) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is not a compiler version; write numbers and dots, as in 4.3.3",
                version);
  }
  if (!target.compiler || numbers >= parse_version(target.compiler->min_version)) return;
  throw_error(ErrorCode::kUnsupported, "target '{}' needs {} {} or newer, not {}: {}", target.name,
              target.compiler->name, target.compiler->min_version, version, target.compiler->reason);
}

}  // namespace twofold
