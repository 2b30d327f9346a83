#include "twofold/run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace twofold {

namespace {

struct Arguments {
  std::filesystem::path model, folder, json;
  Samples data;
  RunOptions options;
};

}  // namespace

void add_run(CLI::App& app) {
  CLI::App* command = app.add_subcommand("run", "Run a model, float or quantized, on samples");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The ONNX model")->required();
  command->add_option("--data", arguments->data.path, "Samples: a directory of .npy or .npz files, or one file")
      ->type_name("DIR")
      ->required();
  command->add_option("-o,--output", arguments->folder, "Folder to write <output name>/<sample>.npy files to")
      ->type_name("OUTDIR")
      ->required();
  add_samples_option(*command, arguments->data);
  add_preprocessing_option(*command, arguments->options.config);
  command->add_option("--threads", arguments->options.threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
  add_ec_option(*command, arguments->options.ec_in_two_passes);
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold run model_int8.onnx --data samples/ -c ptq.yaml -o results/ --threads 2");
  command->callback([arguments] {
    RunOptions options = arguments->options;
    RunReport report;
    {
      ProgressBar bar;
      options.progress = [&bar](std::string_view stage, int64_t done, int64_t total) {
        bar.update(stage, done, total);
      };
      report = run_model(arguments->model, arguments->data, arguments->folder, options);
    }
    write_json(arguments->json, to_json(report));
    print_notes(report.notes);
    print_text("{} samples, {:.2f} ms each, written to {}\n", report.samples,
               1000 * report.seconds / static_cast<double>(report.samples), report.folder);
  });
}

}  // namespace twofold
