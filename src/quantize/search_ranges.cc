#include "quantize/search_ranges.h"

#include <algorithm>
#include <set>

#include "quantize/apply.h"
#include "quantize/compare.h"
#include "quantize/runnable.h"

namespace twofold {

namespace {

// An operand of the plan with more than one choice.
struct OpenOperand {
  size_t position;
  std::vector<RangeChoice> choices;
};

std::vector<OpenOperand> open_operands(const Graph& graph, const Plan& plan) {
  std::vector<OpenOperand> result;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (!is_integer(operand.granted) || operand.is_weight) continue;
    if (graph.constant(graph.find_value(operand.value)) != nullptr) continue;
    std::vector<RangeChoice> choices = range_choices(operand);
    if (choices.size() > 1) result.push_back({i, std::move(choices)});
  }
  return result;
}

class Search {
 public:
  Search(const Graph& reference, const Graph& graph, const ScaleGroups& groups, const GroupStatistics& statistics,
         const Dataset& data, const RangeSearchOptions& options, Plan& plan)
      : graph_(graph), groups_(groups), statistics_(statistics), options_(options), plan_(plan) {
    const Runnable floating(reference, options.threads);
    for (int64_t s = 0; s < std::min(options.samples, data.size()); ++s) {
      inputs_.push_back(data.sample(s));
      expected_.push_back(floating.run(inputs_.back()));
    }
  }

  void run() {
    const std::vector<OpenOperand> open = open_operands(graph_, plan_);
    if (!open.empty()) {
      total_ = count_trials(open);
      search_model(open);
      if (options_.layerwise) search_layers(open);
    }
    decide_activations(graph_, groups_, statistics_, best_, plan_);
  }

 private:
  int64_t count_trials(const std::vector<OpenOperand>& open) {
    int64_t count = 0;
    for (const OpenOperand& operand : open) {
      for (const RangeChoice& choice : operand.choices) {
        if (std::find(distinct_.begin(), distinct_.end(), choice) == distinct_.end()) distinct_.push_back(choice);
      }
      count += static_cast<int64_t>(operand.choices.size()) - 1;
    }
    return static_cast<int64_t>(distinct_.size()) + (options_.layerwise ? count : 0);
  }

  void search_model(const std::vector<OpenOperand>& open) {
    for (const RangeChoice& choice : distinct_) {
      ChoiceMap trial;
      for (const OpenOperand& operand : open) {
        const auto it = std::find(operand.choices.begin(), operand.choices.end(), choice);
        if (it != operand.choices.end()) trial[operand.position] = static_cast<size_t>(it - operand.choices.begin());
      }
      keep_if_better(trial);
    }
  }

  void search_layers(const std::vector<OpenOperand>& open) {
    for (const OpenOperand& operand : open) {
      const size_t current = best_.contains(operand.position) ? best_[operand.position] : 0;
      for (size_t i = 0; i < operand.choices.size(); ++i) {
        if (i == current) continue;
        ChoiceMap trial = best_;
        trial[operand.position] = i;
        keep_if_better(trial);
      }
    }
  }

  void keep_if_better(const ChoiceMap& trial) {
    const double value = measure(trial);
    if (!has_best_ || better(options_.metric, value, best_value_)) {
      best_ = trial;
      best_value_ = value;
      has_best_ = true;
    }
    if (options_.progress) options_.progress(++done_, total_);
  }

  // The metric of the quantized model, averaged over samples and outputs.
  double measure(const ChoiceMap& choices) {
    Plan trial = plan_;
    decide_activations(graph_, groups_, statistics_, choices, trial);
    Graph quantized = graph_;
    apply_quantization(quantized, decided_operands(graph_, trial));
    const Runnable runnable(quantized, options_.threads);
    MetricMeans means;
    for (size_t s = 0; s < inputs_.size(); ++s) {
      const std::vector<Tensor> outputs = runnable.run(inputs_[s]);
      for (size_t i = 0; i < outputs.size(); ++i) {
        ErrorSums sums;
        sums.add(as_float(expected_[s][i]).data<float>(), as_float(outputs[i]).data<float>());
        means.add(sums);
      }
    }
    return means.mean(options_.metric);
  }

  const Graph& graph_;
  const ScaleGroups& groups_;
  const GroupStatistics& statistics_;
  const RangeSearchOptions& options_;
  Plan& plan_;
  std::vector<std::vector<Tensor>> inputs_, expected_;
  std::vector<RangeChoice> distinct_;
  ChoiceMap best_;
  double best_value_ = 0;
  bool has_best_ = false;
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

void search_ranges(const Graph& reference, const Graph& graph, const ScaleGroups& groups,
                   const GroupStatistics& statistics, const Dataset& data, const RangeSearchOptions& options,
                   Plan& plan) {
  Search(reference, graph, groups, statistics, data, options, plan).run();
}

}  // namespace twofold
