#include "api/debug_case.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/float_model.h"
#include "api/plan_of_file.h"
#include "api/preprocessing.h"
#include "api/read_config.h"
#include "api/recorded_plan.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/nearest_names.h"
#include "calibrate/first_nan.h"
#include "dialect/registry.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "plan/fingerprint.h"
#include "quantize/check_plan.h"
#include "quantize/choose_equalizations.h"
#include "quantize/decide_plan.h"
#include "quantize/equalize.h"

namespace twofold {

namespace {

// A config with a line for everything that a plan grants.
QuantConfig config_of(const Plan& plan) {
  QuantConfig config;
  for (const OperandPlan& operand : plan.operands()) {
    config.nodes[operand.node].operands[operand.operand] = operand.granted;
  }
  return config;
}

}  // namespace

DebugCase::DebugCase(const DebugSubject& subject)
    : subject_(subject),
      threads_(subject.threads),
      job_(subject.cancelled, subject.progress),
      progress_(job_.progress()),
      config_(read_config(subject.config)),
      paths_(config_, subject.model, subject.data, {}) {
  open();
  const std::vector<InputSpec> inputs = input_specs(graph_);
  data_ = paths_.open(inputs, dataset_options(config_, inputs));
  if (data_ == nullptr) throw_error(ErrorCode::kInvalidArgument, "there are no data to measure on: name them");
}

void DebugCase::open() {
  const bool has_config = !subject_.config.path.empty() || !subject_.config.text.empty();
  if (!subject_.target.empty()) target_ = load_target(subject_.target);
  if (!subject_.plan.empty() && has_config) {
    throw_error(ErrorCode::kInvalidArgument, "a plan says everything: beside it, leave out the config");
  }
  model_path_ = paths_.model();
  graph_ = import_onnx(model_path_);
  if (quantizing_node(graph_) == kNone) end_at(config_.output_nodes, graph_);
  check_operators(graph_);
  if (quantizing_node(graph_) != kNone) {
    if (has_config || !subject_.plan.empty()) {
      throw_error(ErrorCode::kInvalidArgument,
                  "{}: the model is quantized already, by a plan of its own: beside it, leave out config and plan, or "
                  "give the float model",
                  model_path_.string());
    }
    const Graph quantized = std::move(graph_);
    return open_recorded(quantized);
  }
  file_nodes_ = node_names(graph_);
  run_passes(graph_);
  if (!subject_.plan.empty()) take(plan_of_file(subject_.plan, graph_));
}

// Takes the float model and the plan of a file that was quantized.
void DebugCase::open_recorded(const Graph& quantized) {
  RecordedPlan recorded = recorded_plan(quantized, model_path_);
  const std::filesystem::path file = model_path_, folder = std::filesystem::absolute(file).parent_path();
  std::vector<std::filesystem::path> places = {subject_.float_model};
  if (subject_.float_model.empty()) {
    places = {folder / recorded.float_model, folder.parent_path() / recorded.float_model, recorded.float_model};
  }
  // The quantized file may have the name of its float model.
  const auto there = std::ranges::find_if(places, [&file](const auto& place) {
    return std::filesystem::exists(place) && !std::filesystem::equivalent(place, file);
  });
  if (there == places.end()) {
    throw_error(ErrorCode::kNotFound,
                "{}: its float model '{}' lies neither beside it, nor in the folder above, nor in the current one; say "
                "where it is (--float)",
                file.string(), subject_.float_model.empty() ? recorded.float_model : subject_.float_model.string());
  }
  model_path_ = *there;
  std::vector<std::string> outputs;
  for (const GraphOutput& output : quantized.outputs) outputs.push_back(output.name);
  graph_ = import_float_model(model_path_, outputs);
  file_nodes_ = node_names(graph_);
  run_passes(graph_);
  if (content_hash(graph_) != recorded.plan.content_hash) {
    throw_error(ErrorCode::kInvalidArgument, "{} is not the float model that {} was made of", model_path_.string(),
                file.string());
  }
  check_plan(recorded.plan, equalize(graph_, recorded.plan.equalizations));
  take(std::move(recorded.plan));
}

void DebugCase::take(Plan plan) {
  remember_model(graph_, plan);
  config_.model.equalization = false;
  plan_ = std::move(plan);
  tests_plan_ = true;
  config_.nodes = config_of(*plan_).nodes;
}

std::vector<size_t> DebugCase::outputs(const std::vector<std::string>& wanted) const {
  std::vector<std::string> names;
  for (const GraphOutput& output : graph_.outputs) names.push_back(output.name);
  std::vector<size_t> positions;
  for (const std::string& name : wanted.empty() ? names : wanted) {
    const auto it = std::ranges::find(names, name);
    if (it == names.end()) {
      throw_error(ErrorCode::kNotFound, "the model has no output '{}'; the nearest are {}", name,
                  quoted_list(nearest_names(name, names, 3)));
    }
    positions.push_back(static_cast<size_t>(it - names.begin()));
  }
  return positions;
}

std::function<void(int64_t done, int64_t total)> DebugCase::progress_of(std::string_view stage) const {
  if (!progress_) return nullptr;
  return [this, stage](int64_t done, int64_t total) { progress_(stage, done, total); };
}

std::shared_ptr<CalibratedModel> DebugCase::model(const std::vector<Equalization>& equalizations,
                                                  int64_t search_samples) const {
  const CalibratedModel::Options options{.threads = subject_.threads, .search_samples = search_samples};
  auto result = std::make_shared<CalibratedModel>(graph_, data_.get(), options);
  result->equalize(equalizations);
  return result;
}

CalibratedModel& DebugCase::calibrated() {
  if (calibrated_ == nullptr) calibrated_ = model(plan_ ? plan_->equalizations : std::vector<Equalization>());
  return *calibrated_;
}

CalibratedModel& DebugCase::measured(int64_t data_num) {
  const int64_t samples = samples_of(data_num);
  std::shared_ptr<CalibratedModel>& found = measured_[samples];
  if (found == nullptr) {
    found = model(plan_ ? plan_->equalizations : std::vector<Equalization>(), samples);
    check_outputs(*found);
  }
  return *found;
}

DebugCase::Requantized DebugCase::requantized(QuantConfig config, int64_t data_num) {
  std::shared_ptr<CalibratedModel> chosen;
  if (equalizes_) {
    chosen = model({});
    choose_equalizations(*chosen, target(), chosen->resolved({config, target(), resolve_options()}), nullptr);
  }
  config.model.equalization = false;
  const PlanRequest request{config, target(), resolve_options()};
  if (!equalizes_ || chosen->equalizations() == plan().equalizations) {
    measured(data_num);
    return {decide_plan(calibrated(), request, nullptr, kNoStage), calibrated_, measured_.at(samples_of(data_num))};
  }
  Plan decided = decide_plan(*chosen, request, nullptr, kNoStage);
  return {std::move(decided), chosen, model(chosen->equalizations(), samples_of(data_num))};
}

int64_t DebugCase::samples_of(int64_t data_num) const {
  return data_num > 0 ? std::min(data_num, data_->size()) : data_->size();
}

// No error can be told from NaN.
void DebugCase::check_outputs(CalibratedModel& model) {
  for (size_t i = 0; i < model.samples().size(); ++i) {
    throw_if_cancelled();
    for (const Tensor& output : model.samples().references(i)) {
      if (std::ranges::none_of(output.data<float>(), [](float v) { return std::isnan(v); })) continue;
      throw_error(ErrorCode::kInvalidArgument, "the float model's outputs hold NaN in sample {}; {}", i,
                  first_nan(graph_, model.samples().inputs(i)));
    }
  }
}

const Target& DebugCase::target() {
  if (!target_) target_ = load_target(plan_ ? plan_->target : target_name("", config_));
  return *target_;
}

ResolveOptions DebugCase::tested_options() {
  ResolveOptions options = resolve_options();
  options.kinds = chosen_kinds(plan());
  return options;
}

const Plan& DebugCase::plan() {
  if (plan_) return *plan_;
  plan_ = decide_plan(calibrated(), {config_, target(), resolve_options()}, progress_, kNoStage);
  // Plans that are made from here on are for the equalized model.
  for (const auto& [samples, model] : measured_) model->equalize(plan_->equalizations);
  equalizes_ = std::exchange(config_.model.equalization, false);
  return *plan_;
}

}  // namespace twofold
