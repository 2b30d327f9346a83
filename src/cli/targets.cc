#include "twofold/targets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/table.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace twofold {

namespace {

constexpr size_t kLineWidth = 100;

// Words with commas between them, in lines of kLineWidth columns or as many as there are.
std::string wrapped(const std::vector<std::string>& words) {
  const size_t columns = text_columns() == 0 ? kLineWidth : std::min(text_columns(), kLineWidth);
  std::string text;
  size_t column = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
    if (column > 0 && column + 1 + word.size() > columns) {
      text += "\n";
      column = 0;
    }
    text += (column > 0 ? " " : "") + word;
    column += (column > 0 ? 1 : 0) + word.size();
  }
  return text;
}

std::string target_table(const std::vector<TargetReport>& targets) {
  Table table({"target", "what it is", "compiler"});
  for (const TargetReport& target : targets) {
    table.add({target.name, target.description, target.compiler ? ">= " + target.compiler->min_version : "-"});
  }
  return table.text(text_columns());
}

// "int8 x int16" for one precision per input, "each of int8, int16" for a set that every input takes from.
std::string inputs_text(const CombinationRow& combination) {
  const auto alternatives = [](const std::vector<std::string>& qtypes) {
    return fmt::format("{}", fmt::join(qtypes, "|"));
  };
  if (combination.inputs.size() == 1) return "each " + alternatives(combination.inputs[0]);
  std::vector<std::string> inputs;
  for (const std::vector<std::string>& input : combination.inputs) inputs.push_back(alternatives(input));
  return fmt::format("{}", fmt::join(inputs, " x "));
}

std::string operator_text(const OperatorRow& row) {
  std::string text = row.ops == std::vector<std::string>{"*"} ? "all other operators" : wrapped(row.ops);
  if (!row.quantized_by_default) text += "\n(float32 unless a config asks for integers)";
  if (row.moves_data) text += "\n(they move or clamp numbers: integers go in and out with one scale)";
  if (!row.note.empty()) text += fmt::format("\n({})", row.note);
  Table table({"inputs", "outputs", ">cost"});
  for (const CombinationRow& combination : row.combinations) {
    table.add({inputs_text(combination), fmt::format("{}", fmt::join(combination.outputs, "|")),
               fmt::format("{}", combination.cost)});
  }
  return text + "\n" + table.text(text_columns());
}

void print(const TargetReport& target) {
  print_text("{}: {}\n", target.name, target.description);
  if (target.compiler) {
    print_text("compiler: {} {} or newer\n({})\n", target.compiler->name, target.compiler->min_version,
               target.compiler->reason);
  }
  print_text("fallback policy: {}\n", target.fallback);
  print_text("int8 activations: {}\n", target.asymmetric ? "asymmetric, with a zero point" : "symmetric");
  if (target.shared_scales) print_text("one scale for all tensors that operators join which only move data\n");
  if (!target.epilogues.empty()) {
    print_text("computed on the accumulator in front of them:\n{}\n", wrapped(target.epilogues));
  }
  for (const OperatorRow& row : target.operators) print_text("\n{}", operator_text(row));
}

}  // namespace

void add_targets(CLI::App& app) {
  CLI::App* command = app.add_subcommand("targets", "List the targets, or say what one of them can do");
  struct Arguments {
    std::string name;
    std::filesystem::path json;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("NAME", arguments->name, "A target of the list, or a file; its precisions and their costs")
      ->type_name("NAME|FILE");
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold targets journey6-oe3.2");
  command->callback([arguments] {
    if (!arguments->name.empty()) {
      const TargetReport target = describe_target(arguments->name);
      write_json(arguments->json, to_json(target));
      print(target);
      return;
    }
    std::vector<TargetReport> targets;
    for (const std::string& name : target_names()) targets.push_back(describe_target(name));
    write_json(arguments->json, to_json(targets));
    print_text("{}", target_table(targets));
  });
}

}  // namespace twofold
