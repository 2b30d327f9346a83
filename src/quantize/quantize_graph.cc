#include "quantize/quantize_graph.h"

#include "calibrate/calibrate.h"
#include "quantize/adjust_weights.h"
#include "quantize/apply.h"
#include "quantize/decide.h"
#include "quantize/fit_biases.h"
#include "quantize/scale_groups.h"
#include "quantize/search_ranges.h"

namespace twofold {

namespace {

RangeSearchOptions search_options(const ModelConfig& model, int threads) {
  RangeSearchOptions options;
  options.layerwise = model.layerwise_search.has_value();
  options.metric = model.layerwise_search.value_or(model.modelwise_search.value_or(Metric::kCosineSimilarity));
  options.samples = kSearchSamples;
  options.threads = threads;
  return options;
}

}  // namespace

Graph quantize_graph(const Graph& graph, const Dataset& data, const QuantConfig& config, int threads,
                     const Progress& progress, const StageScope& stage, Plan& plan) {
  const auto progress_of = [&progress](std::string_view name) -> std::function<void(int64_t, int64_t)> {
    if (!progress) return nullptr;
    return [&progress, name](int64_t done, int64_t total) { progress(name, done, total); };
  };
  const ScaleGroups groups(graph, plan);
  GroupStatistics statistics;
  stage("calibrate", [&] {
    const CalibrationOptions options{.threads = threads, .progress = progress_of("calibrate")};
    statistics = group_statistics(groups, calibrate(graph, data, observation_requests(graph, plan, groups), options));
  });
  Graph adjusted = graph;
  stage("adjust weights", [&] {
    decide_constants(graph, plan);
    fit_biases(graph, groups, statistics, plan);
    choose_rounding(graph, data, kSearchSamples, threads, plan);
    correct_biases(data, threads, plan, adjusted);
  });
  WeightCache weights;
  stage("search ranges", [&] {
    RangeSearchOptions options = search_options(config.model, threads);
    options.progress = progress_of("search ranges");
    search_ranges(graph, adjusted, groups, statistics, data, options, weights, plan);
  });
  stage("apply", [&] { apply_quantization(adjusted, decided_operands(graph, plan), weights); });
  adjusted.compact();
  return adjusted;
}

}  // namespace twofold
