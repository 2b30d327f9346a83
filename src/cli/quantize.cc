#include "twofold/quantize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/job_outputs.h"
#include "base/progress.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/metrics_table.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace twofold {

namespace {

struct Arguments {
  std::filesystem::path model, json;
  std::vector<std::filesystem::path> statistics;
  Samples data;
  QuantizeOptions options;
  std::string activation_format = "int8";
  bool table = false;
};

// What is shown where nobody asks for all.
constexpr size_t kWorst = 10, kShownInputs = 4, kShownOutputs = 6, kShownNotes = 8;

// Of a node: its operands begin at that row, and its worst result is that near to the float model's.
struct NodeLine {
  size_t first_operand;
  std::optional<double> cosine;
};

// The lower, the worse; NaN is worst.
double rank_of(double cosine) { return std::isnan(cosine) ? -std::numeric_limits<double>::infinity() : cosine; }

// In the order of the graph.
std::vector<NodeLine> node_lines(const QuantizeReport& report) {
  std::map<std::string, double> cosine;
  for (const TensorRow& row : report.tensors) {
    const auto it = row.metrics.find("cosine-similarity");
    if (it == row.metrics.end()) continue;
    const auto [known, is_new] = cosine.emplace(row.node, it->second);
    if (!is_new && rank_of(it->second) < rank_of(known->second)) known->second = it->second;
  }
  std::vector<NodeLine> lines;
  for (size_t i = 0; i < report.operands.size(); ++i) {
    if (i > 0 && report.operands[i].node == report.operands[i - 1].node) continue;
    const auto it = cosine.find(report.operands[i].node);
    lines.push_back({i, it == cosine.end() ? std::nullopt : std::optional(it->second)});
  }
  return lines;
}

Table node_table(const QuantizeReport& report, const std::vector<NodeLine>& lines, bool with_thresholds) {
  std::vector<std::string> headings = {"node", "op", "operands"};
  if (with_thresholds) headings.emplace_back("thresholds");
  const bool measured = std::ranges::any_of(lines, [](const NodeLine& line) { return line.cosine.has_value(); });
  if (measured) headings.emplace_back(">cosine");
  Table table(std::move(headings));
  for (const NodeLine& line : lines) {
    const OperandRow& first = report.operands[line.first_operand];
    std::vector<std::string> operands, thresholds;
    for (size_t i = line.first_operand; i < report.operands.size() && report.operands[i].node == first.node; ++i) {
      const OperandRow& row = report.operands[i];
      operands.push_back(row.operand + " " + row.granted);
      thresholds.push_back(row.method.empty() ? "-" : short_number(row.threshold));
    }
    std::vector<std::string> cells = {first.node, first.op_type, fmt::format("{}", fmt::join(operands, ", "))};
    if (with_thresholds) cells.push_back(fmt::format("{}", fmt::join(thresholds, ", ")));
    if (measured) cells.push_back(line.cosine ? short_number(*line.cosine) : "");
    table.add(std::move(cells));
  }
  return table;
}

// The nodes whose results are farthest from the float model's.
void print_worst(const QuantizeReport& report) {
  std::vector<NodeLine> lines = node_lines(report);
  const size_t all = lines.size();
  std::erase_if(lines, [](const NodeLine& line) { return !line.cosine; });
  std::ranges::stable_sort(lines, {}, [](const NodeLine& line) { return rank_of(*line.cosine); });
  if (lines.size() > kWorst) lines.resize(kWorst);
  if (lines.empty()) return print_text("nodes: {}; --table lists them\n\n", all);
  print_text("The worst of {} nodes (--table lists all):\n", all);
  print_table(node_table(report, lines, false));
  print_text("\n");
}

void print_summary(const QuantizeReport& report) {
  std::vector<std::string> counts, seconds;
  for (const auto& [precision, count] : report.operand_counts) counts.push_back(fmt::format("{} {}", count, precision));
  print_text("operands on {}: {}\n", report.target,
             counts.empty() ? "none" : fmt::format("{}", fmt::join(counts, ", ")));
  for (size_t i = 0; i < std::min(kShownInputs, report.inputs.size()); ++i) {
    const InputRangeRow& row = report.inputs[i];
    print_text("input {}: {} to {}\n", row.input, short_number(row.min), short_number(row.max));
  }
  double all = 0;
  uint64_t peak = 0;
  for (const StageRow& row : report.stages) {
    all += row.seconds;
    peak = std::max(peak, row.peak_memory_bytes);
    seconds.push_back(fmt::format("{} {:.1f}", row.stage, row.seconds));
  }
  print_text("{:.1f} s ({}), at most {} MiB\n\n", all, fmt::join(seconds, ", "), peak >> 20);
}

void print_outputs(const QuantizeReport& report) {
  if (report.outputs.empty()) return;
  std::vector<TensorRow> shown = report.outputs;
  if (shown.size() > kShownOutputs) shown.resize(kShownOutputs);
  print_text("{}", metrics_table("output", shown));
  if (shown.size() < report.outputs.size())
    print_text("... and {} more outputs\n", report.outputs.size() - shown.size());
  print_text("\n");
}

void print_written(const QuantizeReport& report, const Arguments& arguments) {
  const QuantizeOptions& options = arguments.options;
  if (options.dry_run) return print_text("nothing {}is written: --dry-run\n", arguments.json.empty() ? "" : "else ");
  bool any = !arguments.json.empty();
  for (const std::filesystem::path& path : {options.save_statistics, options.plan_path}) {
    if (!path.empty()) print_text("written: {}\n", path.string());
    any = any || !path.empty();
  }
  if (!report.output.empty()) return print_text("written: {} ({} bytes)\n", report.output, report.file_bytes);
  print_text("{}: -o FILE writes the model\n", any ? "no model is written" : "nothing is written");
}

void print(const QuantizeReport& report, const Arguments& arguments) {
  print_summary(report);
  print_outputs(report);
  const bool whole = arguments.table || arguments.options.dry_run;
  if (whole) {
    print_table(node_table(report, node_lines(report), !arguments.options.dry_run));
    print_text("\n");
  } else {
    print_worst(report);
  }
  print_notes(report.notes, whole ? 0 : kShownNotes);
  print_written(report, arguments);
}

std::vector<Statistics> load_statistics(const Arguments& arguments) {
  const JobOutputs written({arguments.options.save_statistics, arguments.options.output, arguments.options.plan_path});
  std::vector<Statistics> statistics;
  for (const std::filesystem::path& path : arguments.statistics) statistics.push_back(Statistics::load(path));
  return statistics;
}

}  // namespace

void add_quantize(CLI::App& app) {
  CLI::App* command = app.add_subcommand("quantize", "Turn a float ONNX model into an integer one (QDQ)");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The float ONNX model; default: the config's");
  command
      ->add_option("--data", arguments->data.path,
                   "Samples: a directory of .npy or .npz files, or one file; default: the config's")
      ->type_name("DIR");
  command
      ->add_option("-c,--config", arguments->options.config.path,
                   "What to quantize how: YAML or JSON (default: int8 products, the rest by measurement)")
      ->type_name("FILE");
  add_data_is_option(*command, arguments->options.config);
  command
      ->add_option("--target", arguments->options.target,
                   "What the hardware can do: a name (twofold targets) or a file; default: by march, or cpu")
      ->type_name("NAME|FILE");
  command
      ->add_option("--compiler-version", arguments->options.compiler_version,
                   "Version of the target's own compiler, where it matters")
      ->type_name("VERSION");
  command
      ->add_option("-o,--output", arguments->options.output,
                   "The ONNX file to write; default: in the config's working_dir, if it has one")
      ->type_name("FILE");
  command
      ->add_option("--plan", arguments->options.plan_path, "The plan to write: what every operand got, and why (JSON)")
      ->type_name("FILE");
  CLI::Option* from_plan =
      command
          ->add_option("--from-plan", arguments->options.from_plan,
                       "A plan that --plan wrote, in place of a config: the same model again, without data")
          ->type_name("FILE");
  command
      ->add_flag("--by-name", arguments->options.by_name,
                 "Carry the plan over to another model, a retrained one say, as far as it fits")
      ->needs(from_plan);
  command
      ->add_option("--statistics", arguments->statistics,
                   "Files that --save-statistics wrote, in place of calibration; several are merged")
      ->type_name("FILE...");
  command
      ->add_option("--save-statistics", arguments->options.save_statistics,
                   "Observe all tensors, and write here what was seen of them")
      ->type_name("FILE");
  command
      ->add_option("--sensitivity", arguments->options.sensitivity,
                   "The debugger's sensitivity.jsonl: which of two 16-bit inputs fallback v1 keeps")
      ->type_name("FILE");
  command->add_flag("--strict", arguments->options.strict, "Fail where the target cannot do what the config asks for");
  command
      ->add_option("--activation-format", arguments->activation_format,
                   "How int8 activations are written; the numbers are the same")
      ->check(CLI::IsMember({"int8", "uint8"}))
      ->capture_default_str();
  command->add_option("--threads", arguments->options.threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
  add_samples_option(*command, arguments->data);
  command->add_flag("--dry-run", arguments->options.dry_run,
                    "Show which precisions the operands would get, without data, and write nothing");
  command->add_flag("--table", arguments->table, "Show all nodes and notes, not only the worst nodes");
  add_json_option(*command, arguments->json);
  command->footer(
      "Example:\n  twofold quantize model.onnx --data samples/ -c config.yaml -o model_int8.onnx --plan plan.json\n"
      "  twofold quantize model.onnx -c config.yaml --dry-run\n"
      "  twofold quantize model.onnx --from-plan plan.json -o model_int8.onnx");
  command->callback([arguments] {
    QuantizeOptions options = arguments->options;
    options.uint8_activations = arguments->activation_format == "uint8";
    options.statistics = load_statistics(*arguments);
    QuantizeReport report;
    {
      ProgressBar bar;
      options.progress = [&bar](std::string_view stage, int64_t done, int64_t total) {
        bar.update(stage, done, total);
      };
      report = quantize(arguments->model, arguments->data, options);
    }
    // Of a dry run, too: it is asked for by name.
    write_json(arguments->json, to_json(report));
    print(report, *arguments);
  });
}

}  // namespace twofold
