#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/debug_commands.h"
#include "cli/node_list.h"
#include "cli/output.h"
#include "twofold/debug.h"

namespace twofold {

namespace {

struct Arguments {
  DebugSubject subject;
  SensitivityAnalysisJob job;
  std::filesystem::path json;
  std::string nodes;
};

void run(const Arguments& arguments) {
  SensitivityAnalysisJob job = arguments.job;
  if (!arguments.nodes.empty()) job.sensitive_nodes = parse_node_list(arguments.nodes);
  ProgressBar bar;
  const SensitivityAnalysisReport report = sensitivity_analysis(with_progress(arguments.subject, bar), job);
  write_json(arguments.json, to_json(report));
  write_text(to_log(report, text_columns()));
  print_notes(report.notes);
  print_files(report.files);
}

}  // namespace

void add_sensitivity_analysis(CLI::App& debug) {
  CLI::App& command = add_debug_command(debug, "sensitivity-analysis",
                                        "The quantized model with its sensitive nodes at another precision",
                                        "model.onnx samples/ -c config.yaml -p 0.999 -q int16 -s debug/");
  auto arguments = std::make_shared<Arguments>();
  SensitivityAnalysisJob& job = arguments->job;
  add_subject_options(command, arguments->subject);
  command.add_option("-m,--metric", job.metric, "Metric that picks and shows")->capture_default_str();
  command.add_option("-p,--pick_threshold", job.pick_threshold, "Nodes that are worse alone are sensitive")
      ->capture_default_str();
  add_data_num(command, job.data_num);
  command.add_option("--sensitive_nodes", arguments->nodes, "-sn: the sensitive nodes, in place of those picked")
      ->type_name("[A,B]");
  command.add_option("-q,--qtype", job.qtype, "What they become: int8, int16, dual-int16, int16-ec, float16, float32")
      ->capture_default_str();
  add_save_dir(command, job.save_dir, "what is written (-sd)");
  command.add_flag("--resume", job.resume, "Go on with what an earlier run has left in that folder");
  add_json_option(command, arguments->json);
  command.callback([arguments] { run(*arguments); });
}

}  // namespace twofold
