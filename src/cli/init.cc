#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/files.h"
#include "base/job_outputs.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "twofold/config_template.h"

namespace twofold {

void add_init(CLI::App& app) {
  CLI::App* command = app.add_subcommand("init", "Print a config for a model to begin with, or write it");
  struct Arguments {
    std::filesystem::path model, output;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The float ONNX model")->required();
  command->add_option("-o,--output", arguments->output, "The YAML file to write, in place of printing")
      ->type_name("FILE");
  command->footer("Example:\n  twofold init model.onnx -o config.yaml");
  command->callback([arguments] {
    const JobOutputs outputs({arguments->output});
    const std::string text = config_template(arguments->model);
    if (arguments->output.empty()) return write_text(text);
    write_file(arguments->output, text);
    print_text("written: {}\n", arguments->output.string());
  });
}

}  // namespace twofold
