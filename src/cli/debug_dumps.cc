#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/table.h"
#include "cli/commands.h"
#include "cli/debug_commands.h"
#include "cli/option_values.h"
#include "cli/output.h"
#include "twofold/debug.h"

namespace twofold {

namespace {

struct Arguments {
  std::filesystem::path model, json;
  Samples data;
  CompareDumpsJob job;
};

void run(const Arguments& arguments) {
  const DumpReport report = compare_dumps(arguments.model, arguments.data, arguments.job);
  write_json(arguments.json, to_json(report));
  Table table({"tensor", "node", "op_type", ">equal", ">largest", ">steps", ""});
  const DumpRow* first = report.first_to_leave();
  for (const DumpRow& row : report.tensors) {
    table.add({row.tensor, row.node, row.op_type, fmt::format("{:.2f} %", 100 * row.equal_share),
               fmt::format("{:.6g}", row.largest_difference),
               row.largest_steps < 0 ? "-" : fmt::format("{:.4g}", row.largest_steps),
               &row == first ? "<- the first that leaves the engine's" : ""});
  }
  print_table(table);
  for (const std::string& file : report.unknown) print_text("note: not a tensor of the model: {}\n", file);
  for (const std::string& file : report.inside) {
    print_text("note: not compared, the engine has this tensor inside a fused operator only: {}\n", file);
  }
}

}  // namespace

void add_compare_dumps(CLI::App& debug) {
  CLI::App& command = add_debug_command(
      debug, "compare-dumps", "The tensors that a device has dumped, against what the engine computes, in steps",
      "model_int8.onnx samples/ dumps/ --sample 3");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("MODEL", arguments->model, "The quantized model")->required();
  command.add_option("DATA", arguments->data.path, "Samples: a directory of .npy or .npz files, or one file")
      ->required();
  command.add_option("DIR", arguments->job.dumps, "The dumps: <tensor>.npy, or raw .bin, .raw, or without an ending")
      ->required();
  command.add_option("--sample", arguments->job.sample, "The sample that the device has run on")
      ->check(at_least(0))
      ->capture_default_str();
  add_preprocessing_option(command, arguments->job.config);
  command.add_option("--threads", arguments->job.threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
  add_json_option(command, arguments->json);
  command.callback([arguments] { run(*arguments); });
}

}  // namespace twofold
