#include "quantize/decide_plan.h"

#include <optional>
#include <string>

#include "quantize/adjust_weights.h"
#include "quantize/body_work.h"
#include "quantize/choose_equalizations.h"
#include "quantize/choose_kinds.h"
#include "quantize/decide.h"
#include "quantize/fit_biases.h"
#include "quantize/input_notes.h"
#include "quantize/kind_notes.h"
#include "quantize/search_ranges.h"

namespace twofold {

namespace {

using Count = std::function<void(int64_t done, int64_t total)>;

Count progress_of(const Progress& progress, std::string_view name) {
  if (!progress) return nullptr;
  return [&progress, name](int64_t done, int64_t total) { progress(name, done, total); };
}

// Where a config does not name one, sqnr: the cosine of a sample says next to nothing of errors below a percent, and is
// averaged over samples without regard to which are the worse.
Metric search_metric(const ModelConfig& config) {
  return config.layerwise_search.value_or(config.modelwise_search.value_or(Metric::kSqnr));
}

// Chooses precisions where the config leaves them open; else says what limits products of 16 bits.
void settle_kinds(CalibratedModel& model, const PlanRequest& request, const Count& progress, Plan& plan) {
  const KindChoice choice = choose_kinds(model, request, plan, progress);
  const bool chooses = !request.config.model.all_node_type;
  if (chooses) {
    PlanRequest chosen = request;
    chosen.options.kinds = choice.precisions();
    plan = calibrated_plan(model, chosen);
  }
  add_notes(choice, chooses, plan);
}

void adjust_weights(CalibratedModel& model, Plan& plan) {
  decide_constants(model.graph(), plan);
  Ranges ranges(model.graph(), plan, model.statistics());
  fit_biases(model.graph(), ranges, plan);
  choose_rounding(model, plan);
  correct_biases(model, plan);
}

void add_data_notes(CalibratedModel& model, Plan& plan) {
  for (std::string& note : input_notes(model)) plan.notes.push_back(std::move(note));
  if (std::optional<std::string> note = body_work_note(model)) plan.notes.push_back(*std::move(note));
}

}  // namespace

Plan decide_plan(CalibratedModel& model, const PlanRequest& request, const Progress& progress,
                 const StageScope& stage) {
  Plan plan = model.resolved(request);
  std::optional<std::string> equalized;
  if (request.config.model.equalization) {
    stage("equalize",
          [&] { equalized = choose_equalizations(model, request.target, plan, progress_of(progress, "equalize")); });
    if (!model.equalizations().empty()) plan = model.resolved(request);
  }
  stage("calibrate", [&] { calibrate_plan(model, request, progress_of(progress, "calibrate"), plan); });
  const bool chooses = !request.config.model.all_node_type;
  if (chooses) model.data("to choose precisions on (to choose none, name all_node_type)");
  if (chooses || (model.has_data() && raises_products(plan))) {
    stage("choose precisions", [&] { settle_kinds(model, request, progress_of(progress, "choose precisions"), plan); });
  }
  stage("adjust weights", [&] { adjust_weights(model, plan); });
  stage("search ranges", [&] {
    const ModelConfig& config = request.config.model;
    search_ranges(model,
                  {.metric = search_metric(config),
                   .layerwise = config.layerwise_search.has_value(),
                   .progress = progress_of(progress, "search ranges")},
                  plan);
  });
  if (model.has_data()) add_data_notes(model, plan);
  if (equalized) plan.notes.push_back(*std::move(equalized));
  return plan;
}

}  // namespace twofold
