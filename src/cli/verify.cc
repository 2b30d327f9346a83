#include "twofold/verify.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/metrics_table.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace twofold {

namespace {

struct Arguments {
  std::filesystem::path reference, other, json;
  Samples data;
  VerifyOptions options;
};

}  // namespace

void add_verify(CLI::App& app) {
  CLI::App* command = app.add_subcommand("verify", "Compare two models, float or quantized, on the same samples");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("A", arguments->reference, "The model to compare with")->required();
  command->add_option("B", arguments->other, "The model in question")->required();
  command->add_option("--data", arguments->data.path, "Samples: a directory of .npy or .npz files, or one file")
      ->type_name("DIR")
      ->required();
  add_samples_option(*command, arguments->data);
  add_preprocessing_option(*command, arguments->options.config);
  command->add_option("--threads", arguments->options.threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
  add_ec_option(*command, arguments->options.ec_in_two_passes, " of B");
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold verify model.onnx model_int8.onnx --data samples/ -c ptq.yaml");
  command->callback([arguments] {
    VerifyOptions options = arguments->options;
    VerifyReport report;
    {
      ProgressBar bar;
      options.progress = [&bar](std::string_view stage, int64_t done, int64_t total) {
        bar.update(stage, done, total);
      };
      report = verify_models(arguments->reference, arguments->other, arguments->data, options);
    }
    write_json(arguments->json, to_json(report));
    if (!report.tensors.empty()) print_text("{}\n", metrics_table("tensor", report.tensors, NodeColumn::kYes));
    print_text("{}\n", metrics_table("output", report.outputs));
    print_notes(report.notes);
    if (const TensorRow* first = report.first_difference()) {
      print_text("first difference: tensor '{}' of node '{}' ({})\n", first->tensor, first->node, first->op_type);
    } else {
      print_text("no difference\n");
    }
  });
}

}  // namespace twofold
