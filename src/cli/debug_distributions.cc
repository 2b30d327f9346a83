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
  DistributionJob job;
  std::filesystem::path json;
  std::string nodes;
};

using Run = void (*)(const DebugSubject&, const DistributionJob&, const std::filesystem::path& json);

// What the three commands have in common.
std::shared_ptr<Arguments> add_distribution_options(CLI::App& command, const std::string& nodes, Run run) {
  auto arguments = std::make_shared<Arguments>();
  add_subject_options(command, arguments->subject);
  command.add_option(nodes, arguments->nodes, "Nodes, weights and activations to look at; default: all")
      ->type_name("[A,B]");
  add_data_num(command, arguments->job.data_num);
  add_save_dir(command, arguments->job.save_dir, "what is written");
  add_json_option(command, arguments->json);
  command.callback([arguments, run] {
    DistributionJob job = arguments->job;
    if (!arguments->nodes.empty()) job.nodes = parse_node_list(arguments->nodes);
    ProgressBar bar;
    run(with_progress(arguments->subject, bar), job, arguments->json);
  });
  return arguments;
}

void run_distribution(const DebugSubject& subject, const DistributionJob& job, const std::filesystem::path& json) {
  const DistributionReport report = plot_distribution(subject, job);
  write_json(json, to_json(report));
  print_text("operands: {}\n", report.operands.size());
  print_files(report.files);
}

void run_channels(const DebugSubject& subject, const DistributionJob& job, const std::filesystem::path& json) {
  const ChannelReport report = get_channelwise_data_distribution(subject, job);
  write_json(json, to_json(report));
  print_text("tensors: {}\n", report.tensors.size());
  print_files(report.files);
}

void run_analysis(const DebugSubject& subject, const DistributionJob& job, const std::filesystem::path& json) {
  const DistributionReport report = tensor_analysis(subject, job);
  write_json(json, to_json(report));
  write_text(to_text(report, text_columns()));
  print_files(report.files);
}

}  // namespace

void add_distributions(CLI::App& debug) {
  CLI::App& distribution =
      add_debug_command(debug, "plot-distribution",
                        "Histograms of weights and activations before and after quantization, with thresholds",
                        "model.onnx samples/ -n \"[conv1,conv2]\" -s debug/");
  add_distribution_options(distribution, "-n,--nodes_list", run_distribution);
  CLI::App& channels = add_debug_command(debug, "get-channelwise-data-distribution",
                                         "A box plot of the numbers in every channel of weights and activations",
                                         "model.onnx samples/ -n \"[conv1]\" -a 1 -s debug/");
  const auto arguments = add_distribution_options(channels, "-n,--nodes_list", run_channels);
  channels.add_option("-a,--axis", arguments->job.axis, "Axis of channels; default: 0 of weights, 1 of activations");
  CLI::App& analysis = add_debug_command(debug, "tensor-analysis",
                                         "All numbers about the operands of nodes, in float and quantized, as a table",
                                         "model.onnx samples/ -n \"[conv1]\" -s debug/");
  const auto of_analysis = add_distribution_options(analysis, "-n,--node_names", run_analysis);
  analysis.add_option("--num_processes", of_analysis->subject.threads, "-np: the same as --threads");
}

}  // namespace twofold
