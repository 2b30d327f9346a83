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

// Rows that are shown where nobody asks for all.
constexpr size_t kShown = 20;

struct Arguments {
  DebugSubject subject;
  SensitivityJob job;
  std::filesystem::path json, write_config;
  std::string metrics, outputs, nodes, group, evaluate;
  bool verbose = false;
};

void print_agreement(const SensitivityReport& report) {
  print_text("estimated by {} backward sweeps", report.sweeps);
  if (report.rank_agreement) {
    print_text("; rank agreement of estimates and measured values: {:.3f}", *report.rank_agreement);
  }
  print_text("\n");
}

void print(SensitivityReport report, bool whole) {
  const size_t rows = report.rows.size();
  if (!whole && rows > kShown) report.rows.resize(kShown);
  write_text(to_log(report, text_columns()));
  if (report.rows.size() < rows) print_text("... and {} more; -v shows all\n", rows - report.rows.size());
  print_text("\nmeasured: {}", report.measured);
  if (report.reused > 0) print_text(", and {} taken from the run before", report.reused);
  print_text("\n");
  if (report.estimate) print_agreement(report);
  print_notes(report.notes);
}

// All nodes, and what follows from them.
void find(const Arguments& arguments, const DebugSubject& subject, const SensitivityJob& job) {
  const FindingsReport report = find_remedies(subject, {.metrics = job.metrics,
                                                        .outputs = job.outputs,
                                                        .data_num = job.data_num,
                                                        .save_dir = job.save_dir,
                                                        .resume = job.resume,
                                                        .estimate = job.estimate,
                                                        .confirm = job.confirm,
                                                        .write_config = arguments.write_config,
                                                        .evaluate = arguments.evaluate});
  write_json(arguments.json, to_json(report.nodes));
  print(report.nodes, arguments.verbose);
  print_text("\n{}\n", to_text(report, text_columns()));
  print_files(report.nodes.files);
  print_files(report.files);
}

void run(const Arguments& arguments) {
  SensitivityJob job = arguments.job;
  if (!arguments.metrics.empty()) job.metrics = parse_node_list(arguments.metrics);
  if (!arguments.outputs.empty()) job.outputs = parse_node_list(arguments.outputs);
  if (!arguments.nodes.empty()) job.interested_nodes = parse_node_list(arguments.nodes);
  if (arguments.group.starts_with('[')) {
    job.group_lists = parse_node_lists(arguments.group);
  } else {
    job.group = arguments.group;
  }
  const bool all_nodes = job.unit == "node" && job.interested_nodes.empty() && arguments.group.empty();
  ProgressBar bar;
  const DebugSubject subject = with_progress(arguments.subject, bar);
  if (all_nodes) return find(arguments, subject, job);
  const SensitivityReport report = get_sensitivity(subject, job);
  write_json(arguments.json, to_json(report));
  print(report, arguments.verbose);
  print_files(report.files);
}

}  // namespace

void add_sensitivity(CLI::App& debug) {
  CLI::App& command = add_debug_command(debug, "get-sensitivity-of-nodes",
                                        "What each node, weight or activation alone does; of nodes, what helps",
                                        "model.onnx samples/ -c config.yaml -m sqnr -d 8 -s debug/");
  auto arguments = std::make_shared<Arguments>();
  SensitivityJob& job = arguments->job;
  add_subject_options(command, arguments->subject);
  command
      .add_option("-m,--metrics", arguments->metrics, "Metrics, of which the first sorts; default: cosine-similarity")
      ->type_name("[A,B]");
  command.add_option("-o,--output_node", arguments->outputs, "Outputs of the model to look at; default: all")
      ->type_name("[A,B]");
  command.add_option("-n,--node_type", job.unit, "What is quantized at a time")
      ->check(CLI::IsMember({"node", "weight", "activation"}))
      ->capture_default_str();
  CLI::Option* nodes = command.add_option("-i,--interested_nodes", arguments->nodes, "Nodes to measure; default: all")
                           ->type_name("[A,B]");
  command
      .add_option("--group", arguments->group,
                  "Groups of nodes: op_type, prefix (the folders of names), prefix:DEPTH, or \"[[a,b],[c]]\"")
      ->excludes(nodes);
  add_data_num(command, job.data_num);
  command.add_flag("-v,--verbose", arguments->verbose, "Print the whole table");
  add_save_dir(command, job.save_dir, "tables and results");
  command.add_flag("--resume", job.resume, "Go on with what an earlier run has left in that folder");
  add_estimate_options(command, job.estimate, job.confirm);
  add_outcome_options(command, arguments->write_config, arguments->evaluate);
  add_json_option(command, arguments->json);
  command.callback([arguments] { run(*arguments); });
}

}  // namespace twofold
