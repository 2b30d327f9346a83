#include "quantize/decide_plan.h"

#include "quantize/adjust_weights.h"
#include "quantize/choose_kinds.h"
#include "quantize/decide.h"
#include "quantize/fit_biases.h"
#include "quantize/kind_notes.h"

namespace twofold {

namespace {

using Count = std::function<void(int64_t done, int64_t total)>;

Count progress_of(const Progress& progress, std::string_view name) {
  if (!progress) return nullptr;
  return [&progress, name](int64_t done, int64_t total) { progress(name, done, total); };
}

void calibrate(CalibratedModel& model, const Plan& plan, const Progress& progress, const StageScope& stage) {
  stage("calibrate", [&] { model.calibrate(plan, progress_of(progress, "calibrate")); });
}

RangeSearchCounters decide_calibrated(CalibratedModel& model, const ModelConfig& config, const Progress& progress,
                                      const StageScope& stage, Plan& plan) {
  stage("adjust weights", [&] {
    decide_constants(model.graph(), plan);
    Ranges ranges(model.graph(), plan, model.statistics());
    fit_biases(model.graph(), ranges, plan);
    choose_rounding(model, plan);
    correct_biases(model, plan);
  });
  RangeSearchCounters counters;
  stage("search ranges", [&] {
    const RangeSearchOptions options{
        .metric = config.layerwise_search.value_or(config.modelwise_search.value_or(Metric::kCosineSimilarity)),
        .layerwise = config.layerwise_search.has_value(),
        .progress = progress_of(progress, "search ranges")};
    counters = search_ranges(model, options, plan);
  });
  return counters;
}

}  // namespace

Plan plan_of_config(CalibratedModel& model, const QuantConfig& config, const Target& target,
                    const ResolveOptions& options, const Progress& progress, const StageScope& stage) {
  Plan plan = resolve(model.graph(), config, target, options);
  calibrate(model, plan, progress, stage);
  const bool chooses = !config.model.all_node_type;
  if (chooses || raises_products(plan)) {
    stage("choose precisions", [&] {
      const auto plan_of = [&](const KindPrecisions& kinds) {
        ResolveOptions tried = options;
        tried.kinds = kinds;
        tried.strict = false;  // what a target lacks is not chosen
        return resolve(model.graph(), config, target, tried);
      };
      const KindChoice choice = choose_kinds(model, plan_of, progress_of(progress, "choose precisions"));
      if (chooses) plan = plan_of(choice.precisions());
      add_notes(choice, chooses, plan);
      model.calibrate(plan);
    });
  }
  decide_calibrated(model, config.model, progress, stage, plan);
  return plan;
}

RangeSearchCounters decide_plan(CalibratedModel& model, const ModelConfig& config, const Progress& progress,
                                const StageScope& stage, Plan& plan) {
  calibrate(model, plan, progress, stage);
  return decide_calibrated(model, config, progress, stage, plan);
}

}  // namespace twofold
