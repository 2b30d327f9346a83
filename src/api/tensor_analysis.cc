#include <fmt/format.h>

#include <algorithm>

#include "api/debug_steps.h"
#include "api/operand_numbers.h"
#include "base/files.h"
#include "base/table.h"
#include "twofold/distributions.h"

namespace twofold {

namespace {

const std::vector<std::string> kHeadings = {"node",          "op_type",       "operand",        "tensor",
                                            "shape",         "type",          "scale",          "zero_point",
                                            "float_min",     "float_max",     "float_mean",     "float_deviation",
                                            "quantized_min", "quantized_max", "quantized_mean", "quantized_deviation",
                                            "clipped",       "sqnr",          "cosine",         "worst_channels"};

std::string number(double value) { return fmt::format("{:.6g}", value); }

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("{}", fmt::join(shape, "x")); }

std::string channels_text(const std::vector<std::pair<int, double>>& channels) {
  std::string text;
  for (const auto& [channel, share] : channels) {
    text += fmt::format("{}{}:{:.1f}%", text.empty() ? "" : ";", channel, 100 * share);
  }
  return text.empty() ? "-" : text;
}

std::vector<std::string> cells_of(const OperandNumbers& row) {
  const bool quantized = row.precision != "float32";
  std::vector<std::string> cells = {row.node,   row.op_type,           row.operand,
                                    row.tensor, shape_text(row.shape), row.precision};
  cells.push_back(!quantized ? "-" : row.scales == 1 ? number(row.scale) : fmt::format("{}-scales", row.scales));
  cells.push_back(quantized ? std::to_string(row.zero_point) : "-");
  for (const NumberRow* numbers : {&row.before, &row.after}) {
    for (const double value : {numbers->min, numbers->max, numbers->mean, numbers->deviation}) {
      cells.push_back(number(value));
    }
  }
  cells.push_back(quantized ? fmt::format("{:.4f}%", 100 * row.clipped) : "-");
  cells.push_back(fmt::format("{:.3f}", row.metrics.at("sqnr")));
  cells.push_back(fmt::format("{:.6f}", row.metrics.at("cosine-similarity")));
  cells.push_back(channels_text(row.worst_channels));
  return cells;
}

// As RFC 4180 has it.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv(const std::vector<OperandNumbers>& rows) {
  std::string text = fmt::format("{}\n", fmt::join(kHeadings, ","));
  for (const OperandNumbers& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& cell : cells_of(row)) cells.push_back(csv_cell(cell));
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

// Inputs before outputs.
void in_graph_order(const Graph& graph, std::vector<OperandNumbers>& rows) {
  std::map<std::string, size_t> place;
  for (const NodeId id : graph.topological_order()) place.emplace(graph.node(id).name, place.size());
  std::ranges::stable_sort(rows, {}, [&](const OperandNumbers& row) { return place.at(row.node); });
}

}  // namespace

DistributionReport tensor_analysis_of_case(DebugCase& subject, const DistributionJob& job) {
  DistributionReport report{subject.model_path(), {}, {}};
  make_folders(job.save_dir);
  report.operands = operand_numbers(subject, operands_of_all_readers(subject, job.nodes), job.data_num);
  std::vector<OperandNumbers> computed = computed_numbers(subject, job.nodes, job.data_num);
  std::ranges::move(computed, std::back_inserter(report.operands));
  in_graph_order(subject.graph(), report.operands);
  for (const auto& [file, text] :
       {std::pair("tensor_analysis.txt", to_text(report)), std::pair("tensor_analysis.csv", csv(report.operands))}) {
    report.files.push_back((job.save_dir / file).string());
    write_file(report.files.back(), text);
  }
  return report;
}

DistributionReport tensor_analysis(const DebugSubject& subject, const DistributionJob& job) {
  DebugCase opened(subject);
  return tensor_analysis_of_case(opened, job);
}

std::string to_text(const DistributionReport& report, size_t columns) {
  Table table(kHeadings);
  for (const OperandNumbers& row : report.operands) table.add(cells_of(row));
  return table.text(columns);
}

}  // namespace twofold
