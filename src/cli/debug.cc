#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/debug_commands.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace twofold {

namespace {

// What is typed in front of a command.
std::string program(const CLI::App& debug) {
  const CLI::App* parent = debug.get_parent();
  return parent == nullptr ? debug.get_name() : parent->get_name() + " " + debug.get_name();
}

}  // namespace

CLI::App& add_debug_command(CLI::App& debug, const std::string& name, const std::string& what,
                            const std::string& example) {
  CLI::App* command = debug.add_subcommand(name, what);
  std::string other = name;
  std::ranges::replace(other, '-', '_');
  if (other != name) command->alias(other);
  command->footer("Example:\n  " + program(debug) + " " + name + " " + example);
  return *command;
}

void add_subject_options(CLI::App& command, DebugSubject& subject) {
  command.add_option("MODEL", subject.model, "The float ONNX model; or a quantized one that twofold wrote")->required();
  command.add_option("--float", subject.float_model, "The float model of a quantized one; default: beside it")
      ->type_name("MODEL");
  command.add_option("DATA", subject.data.path, "Samples: a directory of .npy or .npz files, or one file")->required();
  add_samples_option(command, subject.data);
  CLI::Option* config =
      command.add_option("-c,--config", subject.config.path, "The config to test: YAML or JSON (default: as quantize)")
          ->type_name("FILE");
  add_data_is_option(command, subject.config);
  command.add_option("--target", subject.target, "What the hardware can do; default: by the config's march, or cpu");
  command.add_option("--plan", subject.plan, "The plan to test, with its scales: nothing is calibrated")
      ->type_name("FILE")
      ->excludes(config);
  command
      .add_option("--memory", subject.memory_bytes,
                  "Bytes of float values to keep, e.g. 4GB; others are computed again")
      ->transform(memory_size())
      ->default_str(fmt::format("{}GB", kDebugMemory >> 30));
  command.add_option("--threads", subject.threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
}

void add_data_num(CLI::App& command, int64_t& data_num) {
  command.add_option("-d,--data_num", data_num, "Samples to run; 0: all")->check(at_least(0))->capture_default_str();
}

void add_save_dir(CLI::App& command, std::filesystem::path& save_dir, const char* of) {
  command.add_option("-s,--save_dir", save_dir, fmt::format("Folder for {}", of))->capture_default_str();
}

DebugSubject with_progress(DebugSubject subject, ProgressBar& bar) {
  subject.progress = [&bar](std::string_view stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  return subject;
}

void print_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) print_text("written: {}\n", file);
}

void add_estimate_options(CLI::App& command, bool& estimate, int64_t& confirm) {
  CLI::Option* flag = command.add_flag("--estimate", estimate,
                                       "Estimate all errors to first order, by backward sweeps, and measure the worst");
  command.add_option("--confirm", confirm, "How many of the worst are measured")
      ->needs(flag)
      ->check(at_least(0))
      ->capture_default_str();
}

void add_outcome_options(CLI::App& command, std::filesystem::path& write_config, std::string& evaluate) {
  command
      .add_option("--write-config", write_config,
                  "Write the config with the lines that help; what it says already stays")
      ->type_name("FILE");
  command
      .add_option("--evaluate", evaluate,
                  "Your own metric: a command that prints a number last; {model} is the quantized model")
      ->type_name("\"CMD {model}\"");
}

void add_debug_commands(CLI::App& debug) {
  debug.require_subcommand(1);
  debug.footer("Example:\n  " + program(debug) + " get-sensitivity-of-nodes model.onnx samples/ -c config.yaml");
  add_sensitivity(debug);
  add_error_curves(debug);
  add_distributions(debug);
  add_sensitivity_analysis(debug);
  add_run_all(debug);
  add_compare_dumps(debug);
}

void add_debug(CLI::App& app) {
  CLI::App* debug = app.add_subcommand("debug", "Find what loses the accuracy of a quantized model");
  add_debug_commands(*debug);
}

}  // namespace twofold
