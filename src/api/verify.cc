#include "twofold/verify.h"

#include "api/config_notes.h"
#include "api/float_model.h"
#include "api/open_samples.h"
#include "api/preprocessing.h"
#include "api/read_config.h"
#include "api/recorded_plan.h"
#include "api/report_rows.h"
#include "base/cancellation.h"
#include "dialect/registry.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "quantize/compare.h"

namespace twofold {

namespace {

// A float model ends where the config says, as the quantized one that was made with it does.
Graph load(const std::filesystem::path& path, const QuantConfig& config) {
  Graph graph = import_onnx(path);
  if (quantizing_node(graph) == kNone) end_at(config.output_nodes, graph);
  check_operators(graph);
  run_passes(graph);
  return graph;
}

}  // namespace

const TensorRow* VerifyReport::first_difference() const {
  for (const auto* rows : {&tensors, &outputs}) {
    for (const TensorRow& row : *rows) {
      if (row.equal_share < 1) return &row;
    }
  }
  return nullptr;
}

VerifyReport verify_models(const std::filesystem::path& reference, const std::filesystem::path& other,
                           const Samples& data, const VerifyOptions& options) {
  const CancellationScope scope(options.cancelled);
  const QuantConfig config = read_config(options.config);
  const Graph b = load(other, config);
  const Graph a = equalized_as_recorded(load(reference, config), b, other);
  const std::vector<InputSpec> inputs = input_specs(a);
  const std::unique_ptr<Dataset> samples = open_samples(data, inputs, dataset_options(config, inputs));
  CompareOptions compare_options{.threads = options.threads, .ec_in_two_passes = options.ec_in_two_passes};
  if (options.progress) {
    compare_options.progress = [&](int64_t done, int64_t total) { options.progress("verify", done, total); };
  }
  const Comparison comparison = compare(a, b, *samples, compare_options);
  return {reference.string(), other.string(), tensor_rows(comparison.outputs), tensor_rows(comparison.tensors),
          preprocessing_notes(config)};
}

}  // namespace twofold
