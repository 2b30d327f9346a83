#include "twofold/statistics.h"

#include <algorithm>
#include <span>
#include <utility>

#include "api/float_model.h"
#include "api/job.h"
#include "api/open_samples.h"
#include "api/preprocessing.h"
#include "api/read_config.h"
#include "api/statistics_state.h"
#include "base/files.h"
#include "base/parallel_for.h"
#include "passes/pipeline.h"
#include "plan/fingerprint.h"

namespace twofold {

Statistics::Statistics(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Statistics Statistics::observe(const std::filesystem::path& model, const Samples& data,
                               const StatisticsOptions& options) {
  Job job(options.cancelled, options.progress);
  const QuantConfig config = read_config(options.config);
  const ThreadScope threads(options.threads);
  Graph graph = import_float_model(model, config.output_nodes);
  run_passes(graph);
  const std::vector<InputSpec> inputs = input_specs(graph);
  const std::unique_ptr<Dataset> samples = open_samples(data, inputs, dataset_options(config, inputs));
  CalibrationOptions calibration{.threads = options.threads};
  if (const Progress progress = job.progress()) {
    calibration.progress = [progress](int64_t done, int64_t total) { progress("observe", done, total); };
  }
  return Statistics(std::make_shared<const State>(observe_model(graph, *samples, content_hash(graph), calibration)));
}

Statistics Statistics::load(const std::filesystem::path& path) {
  const std::string bytes = read_text_file(path);
  return from_bytes(std::as_bytes(std::span(bytes)), path.string());
}

Statistics Statistics::from_bytes(std::span<const std::byte> bytes, std::string_view label) {
  return Statistics(std::make_shared<const State>(statistics_from_bytes(bytes, label)));
}

void Statistics::merge(const Statistics& other) {
  ModelStatistics sum = state_->statistics;
  sum.merge(other.state_->statistics);
  state_ = std::make_shared<const State>(std::move(sum));
}

void Statistics::save(const std::filesystem::path& path) const {
  const std::vector<std::byte> bytes = to_bytes();
  write_file(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::vector<std::byte> Statistics::to_bytes() const { return twofold::to_bytes(state_->statistics); }

const std::string& Statistics::model_hash() const { return state_->statistics.model_hash; }
int64_t Statistics::num_samples() const { return state_->statistics.num_samples; }

std::vector<TensorStatisticsRow> Statistics::tensors() const {
  std::vector<TensorStatisticsRow> rows;
  for (const auto& [name, seen] : state_->statistics.tensors) {
    rows.push_back({name, seen.count(), seen.min(), seen.max(), static_cast<int64_t>(seen.channel_min().size()), ""});
  }
  for (const auto& [name, why] : state_->statistics.refused) rows.push_back({.tensor = name, .refused = why});
  std::ranges::sort(rows, {}, &TensorStatisticsRow::tensor);
  return rows;
}

}  // namespace twofold
