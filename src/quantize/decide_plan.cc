#include "quantize/decide_plan.h"

#include "quantize/adjust_weights.h"
#include "quantize/decide.h"
#include "quantize/fit_biases.h"

namespace twofold {

RangeSearchCounters decide_plan(CalibratedModel& model, const ModelConfig& config, const Progress& progress,
                                const StageScope& stage, Plan& plan) {
  const auto progress_of = [&progress](std::string_view name) -> std::function<void(int64_t, int64_t)> {
    if (!progress) return nullptr;
    return [&progress, name](int64_t done, int64_t total) { progress(name, done, total); };
  };
  stage("calibrate", [&] { model.calibrate(plan, progress_of("calibrate")); });
  stage("adjust weights", [&] {
    decide_constants(model.graph(), plan);
    Ranges ranges(model.graph(), plan, model.statistics());
    const auto abs_max = [&ranges](const Node& node) {
      const RangeStatistics* seen = ranges.seen(node.input(0));
      return seen == nullptr ? 0 : seen->abs_max();
    };
    fit_biases(model.graph(), abs_max, plan);
    choose_rounding(model, plan);
    correct_biases(model, plan);
  });
  RangeSearchCounters counters;
  stage("search ranges", [&] {
    const RangeSearchOptions options{
        .metric = config.layerwise_search.value_or(config.modelwise_search.value_or(Metric::kCosineSimilarity)),
        .layerwise = config.layerwise_search.has_value(),
        .progress = progress_of("search ranges")};
    counters = search_ranges(model, options, plan);
  });
  return counters;
}

}  // namespace twofold
