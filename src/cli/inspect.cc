#include "twofold/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/table.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace twofold {

namespace {

std::string tensor_table(const InspectReport& report) {
  Table table({"", "name", "type", "shape"});
  const auto add = [&table](const char* kind, const std::vector<TensorInfo>& tensors) {
    for (const TensorInfo& tensor : tensors) {
      table.add(
          {kind, tensor.name, std::string(to_string(tensor.dtype)), tensor.known_rank ? to_string(tensor.shape) : "?"});
    }
  };
  add("input", report.inputs);
  add("output", report.outputs);
  return table.text(text_columns());
}

std::string operator_table(const InspectReport& report) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const NodeRow& node : report.nodes) ++counts[node.op_type].first;
  for (const NodeRow& node : report.simplified) ++counts[node.op_type].second;
  Table table({"operator", ">in the file", ">simplified"});
  for (const auto& [op_type, count] : counts) {
    table.add({op_type, std::to_string(count.first), std::to_string(count.second)});
  }
  table.add({"all", std::to_string(report.nodes.size()), std::to_string(report.simplified.size())});
  return table.text(text_columns());
}

std::string node_table(const std::vector<NodeRow>& nodes) {
  Table table({"node", "op", "stands for"});
  for (const NodeRow& node : nodes) {
    const bool only_itself = node.origins.size() == 1 && node.origins[0] == node.name;
    table.add({node.name, node.op_type, only_itself ? "" : fmt::format("{}", fmt::join(node.origins, ", "))});
  }
  return table.text(text_columns());
}

// How the nodes run, and how many of each kind there are.
std::string lowered_table(const InspectReport& report) {
  Table table({"node", "operator", "runs as", "why not on integers"});
  std::map<std::string, int> counts;
  for (const LoweredRow& row : report.lowered) {
    table.add({row.name, row.op_type, runs_as(row.kind, row.ec_passes), row.why});
    ++counts[row.kind];
  }
  std::string text = table.text(text_columns()) + "\n";
  for (const char* kind : {"integer", "table", "moved", "quantized", "conversion", "float"}) {
    text += fmt::format("{} {}{}", counts[kind], kind, std::string_view(kind) == "float" ? "\n" : ", ");
  }
  return text;
}

// What each pass of lowering did, in order.
std::string lowering_table(const InspectReport& report) {
  Table table({"pass", ">rewrites", ">ms"});
  for (const PassRow& row : report.lowering) {
    table.add({row.pass, row.rewrites == 0 ? "unchanged" : std::to_string(row.rewrites),
               fmt::format("{:.3f}", 1000 * row.seconds)});
  }
  return table.text(text_columns());
}

void print(const InspectReport& report) {
  print_text("{}\n{}\n", tensor_table(report), operator_table(report));
  print_text("{}\n", node_table(report.simplified.empty() ? report.nodes : report.simplified));
  print_text("{} parameters, {} bytes\n", report.parameters, report.file_bytes);
  if (!report.unsupported.empty()) print_text("not supported: {}\n", fmt::join(report.unsupported, ", "));
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inspect", "Show what is in a model, and what simplification leaves of it");
  struct Arguments {
    std::filesystem::path model, json;
    InspectOptions options;
    bool lowered = false;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The ONNX model")->required();
  command->add_flag("--lowered", arguments->lowered,
                    "Show how each node of a quantized model runs, and the passes that lead there");
  add_ec_option(*command, arguments->options.ec_in_two_passes);
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold inspect model.onnx\n  twofold inspect model_int8.onnx --lowered");
  command->callback([arguments] {
    const InspectReport report = inspect(arguments->model, arguments->options);
    write_json(arguments->json, to_json(report));
    if (arguments->lowered && report.unsupported.empty()) {
      print_text("{}\n{}", lowered_table(report), lowering_table(report));
    } else {
      print(report);
    }
  });
}

}  // namespace twofold
