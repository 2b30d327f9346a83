#include "quantize/search_ranges.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "plan/fingerprint.h"
#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

// The search as it is defined: every trial a whole model, made anew and run to the end.
class PlainSearch {
 public:
  PlainSearch(const Graph& graph, const Dataset& data, Metric metric, Plan& plan)
      : graph_(graph), data_(data), metric_(metric), plan_(plan), model_(graph, &data, {.threads = 1}) {
    model_.calibrate(plan);
  }

  void run(bool layerwise) {
    std::vector<RangeChoice> distinct;
    for (size_t i = 0; i < plan_.operands().size(); ++i) {
      if (!is_quantized_activation(graph_, plan_.operands()[i])) continue;
      const std::vector<RangeChoice> choices = range_choices(plan_.operands()[i]);
      if (choices.size() < 2) continue;
      open_.emplace_back(i, choices);
      for (const RangeChoice& choice : choices) {
        if (std::ranges::find(distinct, choice) == distinct.end()) distinct.push_back(choice);
      }
    }
    for (const RangeChoice& choice : distinct) {
      ChoiceMap trial;
      for (const auto& [position, choices] : open_) {
        const auto it = std::ranges::find(choices, choice);
        if (it != choices.end()) trial[position] = static_cast<size_t>(it - choices.begin());
      }
      attempt(trial);
    }
    for (const auto& [position, choices] : open_) {
      const size_t current = best_[position];
      for (size_t i = 0; layerwise && i < choices.size(); ++i) {
        ChoiceMap trial = best_;
        trial[position] = i;
        if (i != current) attempt(trial);
      }
    }
    plan_ = decided(best_);
  }

 private:
  Plan decided(const ChoiceMap& choices) {
    Plan plan = plan_;
    Ranges ranges(graph_, plan, model_.statistics());
    decide_activations(graph_, ranges, choices, plan);
    return plan;
  }

  void attempt(const ChoiceMap& trial) {
    Graph quantized = graph_;
    WeightCache weights;
    apply_quantization(quantized, decided_operands(graph_, decided(trial)), weights);
    MetricMeans means;
    const auto outputs = run_whole(quantized, data_, data_.size());
    for (size_t i = 0; i < outputs.size(); ++i) model_.samples().add_errors(i, outputs[i], means);
    const double value = means.mean(metric_);
    if (first_ || better(metric_, value, best_value_)) {
      best_ = trial;
      best_value_ = value;
    }
    first_ = false;
  }

  const Graph& graph_;
  const Dataset& data_;
  const Metric metric_;
  Plan& plan_;
  CalibratedModel model_;
  std::vector<std::pair<size_t, std::vector<RangeChoice>>> open_;
  ChoiceMap best_;
  double best_value_ = 0;
  bool first_ = true;
};

TEST(SearchRanges, MakesTheChoicesOfAPlainSearch) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    for (const Metric metric : {Metric::kCosineSimilarity, Metric::kMse, Metric::kSqnr, Metric::kChebyshev}) {
      for (const bool layerwise : {false, true}) {
        const Graph graph = small_network(seed);
        const auto data = random_samples(graph, 5, seed + 9);
        CalibratedModel model(graph, data.get(), {.threads = 1});
        Plan plan = plan_of(graph, "model_config: {weight: {rounding: nearest}}");
        decide_constants(graph, plan);
        Plan expected = plan;
        model.calibrate(plan);
        const RangeSearchCounters counters =
            search_ranges(model, {.metric = metric, .layerwise = layerwise, .keep_from = seed == 3 ? 500U : 0U}, plan);
        PlainSearch(graph, *data, metric, expected).run(layerwise);
        EXPECT_EQ(plan, expected) << seed << " " << to_string(metric) << " " << layerwise;
        EXPECT_EQ(model.counters().calibrations, 1);
        EXPECT_EQ(model.samples().float_runs(), 5);
        EXPECT_GT(counters.tried, 0);
        EXPECT_EQ(counters.runs.nodes_reused > 0, layerwise);
      }
    }
  }
}

TEST(SearchRanges, SkipsChoicesThatAreTheSameRange) {
  // Numbers that are all as large as each other: every method finds the same threshold.
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 4});
  b.output(b.node("gemm", "Gemm", {x, b.ramp({4, 4})}));
  std::vector<std::map<std::string, Tensor>> samples(2);
  for (auto& sample : samples) sample["x"] = Tensor::from<float>({1, 4}, std::vector<float>{1, -1, 1, -1});
  const auto data = make_dataset(samples_in_memory(std::move(samples)), input_specs(b.graph));
  CalibratedModel model(b.graph, data.get(), {.threads = 1});
  Plan plan = plan_of(b.graph,
                      "model_config: {weight: {rounding: nearest}, activation: {calibration_type: [max, percentile], "
                      "max_percentile: 1.0}}");
  decide_constants(b.graph, plan);
  model.calibrate(plan);
  const RangeSearchCounters counters = search_ranges(model, {.layerwise = true}, plan);
  EXPECT_EQ(counters.tried, 2);  // each for the whole model
  EXPECT_EQ(counters.skipped, 1);
}

TEST(SearchRanges, NeedsDataOnlyWhereSomethingIsOpen) {
  const Graph graph = small_network(1);
  const auto data = random_samples(graph, 3, 2);
  const ModelStatistics seen = observe_model(graph, *data, content_hash(graph), {.threads = 1});
  CalibratedModel model(graph, nullptr, {.threads = 1});
  model.set_statistics(seen);
  const std::string everything = "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}";
  const Plan closed = decided_plan(model, everything);
  EXPECT_NO_THROW(model.apply(closed));
  for (const char* config :
       {"model_config: {weight: {rounding: nearest}}", "model_config: {activation: {calibration_type: max}}",
        "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest, bias_correction: "
        "{num_sample: 1}}}"}) {
    EXPECT_THROW(decided_plan(model, config), Error) << config;
  }
}

}  // namespace
}  // namespace twofold
