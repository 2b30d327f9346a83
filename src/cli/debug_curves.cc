#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/debug_commands.h"
#include "cli/node_list.h"
#include "cli/output.h"
#include "twofold/debug.h"

namespace twofold {

void read_curves(const std::string& quantize, const std::string& non_quantize, ErrorCurveJob& job) {
  if (!quantize.empty()) {
    for (std::vector<std::string>& list : parse_node_lists(quantize)) {
      if (list == std::vector<std::string>{"weight"}) {
        job.weights = true;
      } else if (list == std::vector<std::string>{"activation"}) {
        job.activations = true;
      } else {
        job.quantize_nodes.push_back(std::move(list));
      }
    }
  }
  if (non_quantize.empty()) return;
  job.non_quantize_nodes = parse_node_lists(non_quantize);
  for (const std::vector<std::string>& list : job.non_quantize_nodes) {
    for (const std::string& name : list) {
      if (name != "weight" && name != "activation") continue;
      throw_error(ErrorCode::kInvalidArgument, "'{}' may be quantized alone (-q {}), not left out", name, name);
    }
  }
}

namespace {

struct Arguments {
  DebugSubject subject;
  ErrorCurveJob job;
  std::filesystem::path json;
  std::string quantize, non_quantize;
};

void run(const Arguments& arguments) {
  ErrorCurveJob job = arguments.job;
  read_curves(arguments.quantize, arguments.non_quantize, job);
  ProgressBar bar;
  const DebugSubject subject = with_progress(arguments.subject, bar);
  const ErrorCurveReport report = plot_acc_error(subject, job);
  write_json(arguments.json, to_json(report));
  for (const ErrorCurve& curve : report.curves) {
    if (curve.values.empty()) continue;  // of a model without nodes
    print_text("{}: {} of the last node {:.5f}\n", curve.name, report.metric, curve.values.back());
  }
  print_files(report.files);
}

}  // namespace

void add_error_curves(CLI::App& debug) {
  CLI::App& command =
      add_debug_command(debug, "plot-acc-error", "How the error builds up node by node where some nodes are quantized",
                        "model.onnx samples/ -q \"[[conv1],[conv1,conv2]]\" -s debug/");
  auto arguments = std::make_shared<Arguments>();
  ErrorCurveJob& job = arguments->job;
  add_subject_options(command, arguments->subject);
  command
      .add_option("-q,--quantize_node", arguments->quantize,
                  "Nodes to quantize, a curve for each or each list; weight, activation: all of these")
      ->type_name("[A,[B,C]]");
  command
      .add_option("--non_quantize_node", arguments->non_quantize,
                  "-nq: nodes to leave float, a curve for each, or for each list of them")
      ->type_name("[A,[B,C]]");
  command.add_option("-m,--metric", job.metric, "Metric of the curves")->capture_default_str();
  command.add_flag("-a,--average_mode", job.average_mode, "Of every node the mean of the errors up to it");
  add_data_num(command, job.data_num);
  add_save_dir(command, job.save_dir, "curves");
  add_json_option(command, arguments->json);
  command.callback([arguments] { run(*arguments); });
}

}  // namespace twofold
