#include "twofold/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>

#include "cli/commands.h"
#include "cli/table.h"

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
  return table.text();
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
  return table.text();
}

std::string node_table(const std::vector<NodeRow>& nodes) {
  Table table({"node", "op", "stands for"});
  for (const NodeRow& node : nodes) {
    const bool only_itself = node.origins.size() == 1 && node.origins[0] == node.name;
    table.add({node.name, node.op_type, only_itself ? "" : fmt::format("{}", fmt::join(node.origins, ", "))});
  }
  return table.text();
}

void print(const InspectReport& report) {
  fmt::print("{}\n{}\n", tensor_table(report), operator_table(report));
  fmt::print("{}\n", node_table(report.simplified.empty() ? report.nodes : report.simplified));
  fmt::print("{} parameters, {} bytes\n", report.parameters, report.file_bytes);
  if (!report.unsupported.empty()) fmt::print("not supported: {}\n", fmt::join(report.unsupported, ", "));
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inspect", "Show what is in a model, and what simplification leaves of it");
  struct Arguments {
    std::filesystem::path model, json;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The ONNX model")->required();
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold inspect model.onnx");
  command->callback([arguments] {
    const InspectReport report = inspect(arguments->model);
    write_json(arguments->json, to_json(report));
    print(report);
  });
}

}  // namespace twofold
