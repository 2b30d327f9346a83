#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/node_list.h"
#include "cli/output.h"
#include "twofold/inspect.h"

namespace twofold {

void add_split(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "split", "Write chosen Conv, ConvTranspose, MatMul or Gemm of a float model as two int8 terms and an Add");
  struct Arguments {
    std::filesystem::path model, output, json;
    std::string nodes;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("MODEL", arguments->model, "The float ONNX model")->required();
  command->add_option("--nodes", arguments->nodes, "Names of the nodes to split")->type_name("\"[A,B]\"")->required();
  command->add_option("-o,--output", arguments->output, "The ONNX file to write")->type_name("FILE")->required();
  add_json_option(*command, arguments->json);
  command->footer("Example:\n  twofold split model.onnx --nodes \"[Conv_1,Matmul_2]\" -o model_split.onnx");
  command->callback([arguments] {
    const std::vector<std::string> nodes = parse_node_list(arguments->nodes);
    split_model(arguments->model, nodes, arguments->output);
    const nlohmann::ordered_json json = {
        {"model", arguments->model.string()}, {"output", arguments->output.string()}, {"nodes", nodes}};
    write_json(arguments->json, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    print_text("{} of {}: {}\n", nodes.size() == 1 ? "1 node" : fmt::format("{} nodes", nodes.size()),
               arguments->model.string(), arguments->output.string());
  });
}

}  // namespace twofold
