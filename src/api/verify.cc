#include "twofold/verify.h"

#include "api/open_samples.h"
#include "api/report_rows.h"
#include "onnx/import.h"
#include "ops/op.h"
#include "passes/pipeline.h"
#include "quantize/compare.h"

namespace twofold {

namespace {

Graph load(const std::filesystem::path& path) {
  Graph graph = import_onnx(path);
  check_operators(graph);
  run_passes(graph);
  return graph;
}

}  // namespace

VerifyReport verify_models(const std::filesystem::path& reference, const std::filesystem::path& other,
                           const Samples& data, int threads, const Progress& progress) {
  const Graph a = load(reference), b = load(other);
  const std::unique_ptr<Dataset> samples = open_samples(data, input_specs(a));
  CompareOptions options{.threads = threads};
  if (progress) options.progress = [&](int64_t done, int64_t total) { progress("verify", done, total); };
  const Comparison comparison = compare(a, b, *samples, options);
  return {reference.string(), other.string(), tensor_rows(comparison.outputs), tensor_rows(comparison.tensors)};
}

}  // namespace twofold
