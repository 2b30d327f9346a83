#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/debug_commands.h"
#include "cli/node_list.h"
#include "cli/option_values.h"
#include "cli/output.h"
#include "twofold/debug.h"

namespace twofold {

namespace {

struct Arguments {
  DebugSubject subject;
  DebugAllJob job;
  std::filesystem::path json;
  std::string metrics, outputs, units, interested, distributions, channels, quantize, non_quantize, sensitive;
  bool verbose = false;
};

void read_list(const std::string& text, std::vector<std::string>& names) {
  if (!text.empty()) names = parse_node_list(text);
}

void run(const Arguments& arguments) {
  DebugAllJob job = arguments.job;
  read_list(arguments.metrics, job.metrics);
  read_list(arguments.outputs, job.outputs);
  read_list(arguments.interested, job.interested_nodes);
  read_list(arguments.distributions, job.distribution_nodes);
  read_list(arguments.channels, job.channel_nodes);
  read_list(arguments.sensitive, job.sensitive_nodes);
  read_curves(arguments.quantize, arguments.non_quantize, job.curves);
  read_list(arguments.units, job.units);
  DebugAllReport report;
  {
    ProgressBar bar;
    report = run_all(with_progress(arguments.subject, bar), job);
  }
  write_json(arguments.json, to_json(report));
  if (arguments.verbose) {
    for (const SensitivityReport& sensitivity : report.sensitivities)
      print_text("{}\n", to_log(sensitivity, text_columns()));
  }
  print_text("{}\n", to_text(report.findings, text_columns()));
  print_text("report: {}\n", report.files.front());
  print_text("files: {} in {}\n", report.files.size(), job.save_dir.string());
}

}  // namespace

void add_run_all(CLI::App& debug) {
  CLI::App& command =
      add_debug_command(debug, "runall", "All of this but tensor-analysis, what follows from it, and one page with it",
                        "model.onnx samples/ -c config.yaml -s debug/ --write-config better.yaml");
  auto arguments = std::make_shared<Arguments>();
  DebugAllJob& job = arguments->job;
  add_subject_options(command, arguments->subject);
  const auto list = [&command](const char* names, std::string& text, const char* what) {
    command.add_option(names, text, what)->type_name("[A,B]");
  };
  add_save_dir(command, job.save_dir, "all that is written");
  list("--ns_metrics", arguments->metrics, "-nm: metrics of sensitivities; default: cosine-similarity");
  list("-o,--output_node", arguments->outputs, "Outputs of the model to look at; default: all");
  list("--node_type", arguments->units, "-nt: node, weight or activation; default: weights and activations");
  command.add_option("--data_num", job.data_num, "-dn: samples to measure on; 0: all")
      ->check(at_least(0))
      ->capture_default_str();
  command.add_flag("-v,--verbose", arguments->verbose, "Print the tables of sensitivities");
  list("-i,--interested_nodes", arguments->interested, "Nodes whose sensitivity is written; default: all");
  list("--dis_nodes_list", arguments->distributions, "-dnl: nodes of the histograms; default: the most sensitive");
  list("--cw_nodes_list", arguments->channels, "-cn: nodes of the box plots; default: the most sensitive");
  command.add_option("-a,--axis", job.axis, "Axis of channels; default: 0 of weights, 1 of activations");
  list("--quantize_node", arguments->quantize, "-qn: as plot-acc-error's -q; default: weight, activation and all");
  list("--non_quantize_node", arguments->non_quantize, "-nqn: as plot-acc-error's -nq");
  command.add_option("--ae_metric", job.curves.metric, "-am: metric of curves")->capture_default_str();
  command.add_flag("--average_mode", job.curves.average_mode, "-avm: of every node the mean of the errors up to it");
  command.add_option("--pick_threshold", job.pick_threshold, "-pt: nodes that are worse alone are sensitive")
      ->capture_default_str();
  list("--sensitive_nodes", arguments->sensitive, "-sn: the sensitive nodes, in place of those picked");
  command.add_flag("--resume", job.resume, "Go on with what an earlier run has left in that folder");
  add_estimate_options(command, job.estimate, job.confirm);
  add_outcome_options(command, job.write_config, job.evaluate);
  add_json_option(command, arguments->json);
  command.callback([arguments] { run(*arguments); });
}

}  // namespace twofold
