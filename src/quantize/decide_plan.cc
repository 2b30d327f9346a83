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

void calibrate(CalibratedModel& model, const PlanRequest& request, const Progress& progress, const StageScope& stage,
               Plan& plan) {
  stage("calibrate", [&] { calibrate_plan(model, request, progress_of(progress, "calibrate"), plan); });
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

Plan plan_of_config(CalibratedModel& model, const PlanRequest& request, const Progress& progress,
                    const StageScope& stage) {
  Plan plan = resolve(model.graph(), request.config, request.target, request.options);
  calibrate(model, request, progress, stage, plan);
  const bool chooses = !request.config.model.all_node_type;
  if (chooses) model.data("to choose precisions on (to choose none, name all_node_type)");
  if (chooses || (model.has_data() && raises_products(plan))) {
    stage("choose precisions", [&] {
      const KindChoice choice = choose_kinds(model, request, progress_of(progress, "choose precisions"));
      if (chooses) {
        PlanRequest chosen = request;
        chosen.options.kinds = choice.precisions();
        plan = calibrated_plan(model, chosen);
      }
      add_notes(choice, chooses, plan);
    });
  }
  decide_calibrated(model, request.config.model, progress, stage, plan);
  return plan;
}

RangeSearchCounters decide_plan(CalibratedModel& model, const PlanRequest& request, const Progress& progress,
                                const StageScope& stage, Plan& plan) {
  calibrate(model, request, progress, stage, plan);
  return decide_calibrated(model, request.config.model, progress, stage, plan);
}

}  // namespace twofold
