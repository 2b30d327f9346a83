#include "twofold/debug.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/node_list.h"

namespace twofold {

namespace {

// Rows that are shown where nobody asks for all.
constexpr size_t kShown = 20;

struct Arguments {
  std::filesystem::path model, json;
  Samples data;
  std::string metrics, outputs, nodes;
  bool verbose = false;
  SensitivityJob job;
};

void print(SensitivityReport report, bool whole) {
  const size_t rows = report.rows.size();
  if (!whole && rows > kShown) report.rows.resize(kShown);
  fmt::print("{}", to_log(report));
  if (report.rows.size() < rows) fmt::print("... and {} more; -v shows all\n", rows - report.rows.size());
  fmt::print("\nmeasured: {}", report.measured);
  if (report.reused > 0) fmt::print(", and {} taken from the run before", report.reused);
  fmt::print("\n");
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  for (const std::string& file : report.files) fmt::print("written: {}\n", file);
}

void run(const Arguments& arguments) {
  SensitivityJob job = arguments.job;
  if (!arguments.metrics.empty()) job.metrics = parse_node_list(arguments.metrics);
  if (!arguments.outputs.empty()) job.outputs = parse_node_list(arguments.outputs);
  if (!arguments.nodes.empty()) job.interested_nodes = parse_node_list(arguments.nodes);
  SensitivityReport report;
  {
    ProgressBar bar;
    job.progress = [&bar](std::string_view stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
    report = get_sensitivity(arguments.model, arguments.data, job);
  }
  write_json(arguments.json, to_json(report));
  print(std::move(report), arguments.verbose);
}

void add_sensitivity(CLI::App& debug) {
  CLI::App* command =
      debug.add_subcommand("get-sensitivity-of-nodes",
                           "What each node, weight or activation alone does to the model's outputs, worst first");
  command->alias("get_sensitivity_of_nodes");
  auto arguments = std::make_shared<Arguments>();
  SensitivityJob& job = arguments->job;
  command->add_option("MODEL", arguments->model, "The float ONNX model")->required();
  command->add_option("DATA", arguments->data.path, "Samples: a directory of .npy or .npz files, or one file")
      ->required();
  CLI::Option* config =
      command->add_option("-c,--config", job.config.path, "The config to test: YAML or JSON (all int8 by default)")
          ->type_name("FILE");
  CLI::Option* target = command->add_option("--target", job.target, "What the hardware can do; default: cpu");
  command->add_option("--plan", job.plan, "The plan to test, with its scales: nothing is calibrated")
      ->type_name("FILE")
      ->excludes(config)
      ->excludes(target);
  command
      ->add_option("-m,--metrics", arguments->metrics, "Metrics, of which the first sorts; default: cosine-similarity")
      ->type_name("[A,B]");
  command->add_option("-o,--output_node", arguments->outputs, "Outputs of the model to look at; default: all")
      ->type_name("[A,B]");
  command->add_option("-n,--node_type", job.unit, "What is quantized at a time")
      ->check(CLI::IsMember({"node", "weight", "activation"}))
      ->capture_default_str();
  command->add_option("-i,--interested_nodes", arguments->nodes, "Nodes to measure; default: all")->type_name("[A,B]");
  command->add_option("-d,--data_num", job.data_num, "Samples to measure on; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("-v,--verbose", arguments->verbose, "Print the whole table");
  command->add_option("-s,--save_dir", job.save_dir, "Folder for tables and results")->capture_default_str();
  command->add_flag("--resume", job.resume, "Go on with what an earlier run has left in that folder");
  command
      ->add_option("--memory", job.memory_bytes, "Bytes of float values to keep, e.g. 4GB; others are computed again")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("4GB");
  command->add_option("--threads", job.threads, "Threads; 0: one per core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_json_option(*command, arguments->json);
  command->footer(
      "Example:\n  twofold debug get-sensitivity-of-nodes model.onnx samples/ -c config.yaml -m sqnr -d 8 -s debug/");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace

void add_debug(CLI::App& app) {
  CLI::App* debug = app.add_subcommand("debug", "Find what loses the accuracy of a quantized model");
  debug->require_subcommand(1);
  debug->footer("Example:\n  twofold debug get-sensitivity-of-nodes model.onnx samples/ -c config.yaml");
  add_sensitivity(*debug);
}

}  // namespace twofold
