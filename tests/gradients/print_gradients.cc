// print_gradients MODEL.onnx SAMPLE.npz FOLDER [--passes]
//
// SAMPLE holds the inputs by name, and of each output the cotangent as "cotangent:<output>". Writes to FOLDER all
// outputs and, of every float value, its gradient, as <n>.npy, and prints a line for each:
//   output <n> <name>
//   gradient <n> <name>
//   incomplete <name>
//   without rule <node>: <why>
#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "data/npz.h"
#include "gradients/sweep.h"
#include "loops/layout.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "twofold/error.h"

namespace twofold {

namespace {

class Printer {
 public:
  explicit Printer(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void print(const char* what, const std::string& name, const Tensor& tensor) {
    save_npy(folder_ / fmt::format("{}.npy", count_), to_layout(tensor, Layout::kPlain));
    fmt::print("{} {} {}\n", what, count_++, name);
  }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

void print_gradients(const char* model, const char* sample, const char* folder, bool passes) {
  Graph graph = import_onnx(model);
  if (passes) run_passes(graph);
  const NpzFile file(sample);
  std::vector<Tensor> inputs, cotangents;
  for (const ValueId id : graph.inputs) inputs.push_back(file.find(graph.value(id).name)->tensor());
  for (const GraphOutput& output : graph.outputs) cotangents.push_back(file.find("cotangent:" + output.name)->tensor());
  const std::map<ValueId, Tensor> values = forward_values(graph, inputs);
  const Sweep result = sweep(graph, values, cotangents);
  Printer printer(folder);
  for (const GraphOutput& output : graph.outputs) printer.print("output", output.name, values.at(output.value));
  for (const auto& [id, gradient] : result.gradients) printer.print("gradient", graph.value(id).name, gradient);
  for (const ValueId id : result.backward.incomplete) fmt::print("incomplete {}\n", graph.value(id).name);
  for (const auto& [id, why] : result.backward.without_rule) {
    fmt::print("without rule {}: {}\n", graph.node(id).name, why);
  }
}

}  // namespace

}  // namespace twofold

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  try {
    twofold::print_gradients(argv[1], argv[2], argv[3], argc > 4 && std::string(argv[4]) == "--passes");
  } catch (const twofold::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}
