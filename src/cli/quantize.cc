#include "twofold/quantize.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/progress.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/metrics_table.h"

namespace twofold {

namespace {

struct Arguments {
  std::filesystem::path model, json;
  std::vector<std::filesystem::path> statistics;
  Samples data;
  QuantizeOptions options;
  std::string activation_format = "int8";
};

// One row per node: what its operands became, and how far its output is from the float model's.
std::string node_table(const QuantizeReport& report) {
  std::map<std::string, double> cosine;
  for (const TensorRow& row : report.tensors) {
    if (const auto it = row.metrics.find("cosine-similarity"); it != row.metrics.end()) cosine[row.node] = it->second;
  }
  Table table({"node", "op", "operands", "thresholds", ">cosine"});
  for (size_t i = 0; i < report.operands.size();) {
    const OperandRow& first = report.operands[i];
    std::string operands, thresholds;
    for (; i < report.operands.size() && report.operands[i].node == first.node; ++i) {
      const OperandRow& row = report.operands[i];
      operands += fmt::format("{}{} {}", operands.empty() ? "" : ", ", row.operand, row.granted);
      thresholds +=
          fmt::format("{}{}", thresholds.empty() ? "" : ", ", row.method.empty() ? "-" : short_number(row.threshold));
    }
    const auto it = cosine.find(first.node);
    table.add({first.node, first.op_type, operands, thresholds, it == cosine.end() ? "" : short_number(it->second)});
  }
  return table.text();
}

void print(const QuantizeReport& report) {
  fmt::print("{}\n", node_table(report));
  Table counts({"precision", ">operands"});
  for (const auto& [precision, count] : report.operand_counts) counts.add({precision, std::to_string(count)});
  fmt::print("{}\n", counts.text());
  if (!report.inputs.empty()) {
    Table inputs({"input", ">min", ">max"});
    for (const InputRangeRow& row : report.inputs) {
      inputs.add({row.input, short_number(row.min), short_number(row.max)});
    }
    fmt::print("{}\n", inputs.text());
  }
  Table stages({"stage", ">seconds", ">peak MiB"});
  for (const StageRow& row : report.stages) {
    stages.add({row.stage, fmt::format("{:.2f}", row.seconds), std::to_string(row.peak_memory_bytes >> 20)});
  }
  fmt::print("{}\n", stages.text());
  if (!report.outputs.empty()) fmt::print("{}", metrics_table("output", report.outputs));
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  if (!report.output.empty()) fmt::print("written: {} ({} bytes)\n", report.output, report.file_bytes);
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
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_json_option(*command, arguments->json);
  command->footer(
      "Example:\n  twofold quantize model.onnx --data samples/ -c config.yaml -o model_int8.onnx --plan plan.json\n"
      "  twofold quantize model.onnx --from-plan plan.json -o model_int8.onnx");
  command->callback([arguments] {
    QuantizeOptions options = arguments->options;
    options.uint8_activations = arguments->activation_format == "uint8";
    for (const std::filesystem::path& path : arguments->statistics) {
      options.statistics.push_back(Statistics::load(path));
    }
    QuantizeReport report;
    {
      ProgressBar bar;
      options.progress = [&bar](std::string_view stage, int64_t done, int64_t total) {
        bar.update(stage, done, total);
      };
      report = quantize(arguments->model, arguments->data, options);
    }
    write_json(arguments->json, to_json(report));
    print(report);
  });
}

}  // namespace twofold
