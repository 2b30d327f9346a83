#include "quantize/search_ranges.h"

#include <algorithm>
#include <vector>

#include "quantize/apply.h"
#include "quantize/decide.h"
#include "quantize/trials.h"

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
    if (!is_quantized_activation(graph, plan.operands()[i])) continue;
    std::vector<RangeChoice> choices = range_choices(plan.operands()[i]);
    if (choices.size() > 1) result.push_back({i, std::move(choices)});
  }
  return result;
}

class Search {
 public:
  Search(CalibratedModel& model, const RangeSearchOptions& options, Plan& plan)
      : model_(model),
        options_(options),
        plan_(plan),
        ranges_(model.graph(), plan, model.statistics()),
        open_(open_operands(model.graph(), plan)) {}

  RangeSearchCounters run() {
    decide_activations(model_.graph(), ranges_, {}, plan_);
    if (open_.empty()) return counters_;
    total_ = count_trials();
    search_model();
    if (options_.layerwise) search_layers();
    return counters_;
  }

 private:
  int64_t count_trials() {
    int64_t count = 0;
    for (const OpenOperand& operand : open_) {
      for (const RangeChoice& choice : operand.choices) {
        if (std::ranges::find(distinct_, choice) == distinct_.end()) distinct_.push_back(choice);
      }
      count += static_cast<int64_t>(operand.choices.size()) - 1;
    }
    return static_cast<int64_t>(distinct_.size()) + (options_.layerwise ? count : 0);
  }

  // One choice for all; operands that do not have it take their first.
  void search_model() {
    // All activations change from trial to trial: there is nothing to keep.
    Trials trials(model_, {.memory_cap = 0});
    const Plan first = plan_;
    for (const RangeChoice& choice : distinct_) {
      ChoiceMap chosen;
      for (const OpenOperand& operand : open_) {
        const auto it = std::ranges::find(operand.choices, choice);
        if (it != operand.choices.end()) chosen[operand.position] = static_cast<size_t>(it - operand.choices.begin());
      }
      Plan trial = first;
      decide_activations(model_.graph(), ranges_, chosen, trial);
      if (measure(trials, decided_operands(model_.graph(), trial))) {
        plan_ = std::move(trial);
        best_choices_ = std::move(chosen);
      }
    }
    counters_.runs += trials.counters();
  }

  void search_layers() {
    Trials trials(model_, {.keep_from = options_.keep_from});
    trials.set_base(decided_operands(model_.graph(), plan_));
    for (const OpenOperand& operand : open_) {
      const size_t current = best_choices_[operand.position];
      std::vector<OperandPlan> seen = {plan_.operands()[operand.position]};
      for (size_t i = 0; i < operand.choices.size(); ++i) {
        if (i != current) search_choice(trials, operand.position, operand.choices[i], seen);
      }
    }
    counters_.runs += trials.counters();
  }

  // Keeps the choice for one operand if it is better than all before. `seen`: the forms that the operand had so far.
  void search_choice(Trials& trials, size_t position, const RangeChoice& choice, std::vector<OperandPlan>& seen) {
    const OperandPlan before = plan_.operands()[position];
    decide_activation(model_.graph(), ranges_, position, choice, plan_);
    const OperandPlan& now = plan_.operands()[position];
    const bool known = std::ranges::find(seen, now.params, &OperandPlan::params) != seen.end();
    if (!known) seen.push_back(now);
    if (known) {
      ++counters_.skipped;
      progress();
    } else if (measure(trials, decided_operands(model_.graph(), plan_))) {
      trials.accept();
      return;
    }
    plan_.operand(position) = before;
  }

  // Whether the operands give a better model than the best so far, which they are then.
  bool measure(Trials& trials, std::vector<OperandQuantization> operands) {
    const std::optional<MetricMeans> means = trials.measure(std::move(operands), options_.metric, best_);
    ++counters_.tried;
    progress();
    if (!means) return false;
    const double value = means->mean(options_.metric);
    if (best_ && !better(options_.metric, value, *best_)) return false;
    best_ = value;
    return true;
  }

  void progress() {
    if (options_.progress) options_.progress(++done_, total_);
  }

  CalibratedModel& model_;
  const RangeSearchOptions& options_;
  Plan& plan_;
  Ranges ranges_;
  const std::vector<OpenOperand> open_;
  std::vector<RangeChoice> distinct_;
  ChoiceMap best_choices_;
  std::optional<double> best_;
  RangeSearchCounters counters_;
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

RangeSearchCounters search_ranges(CalibratedModel& model, const RangeSearchOptions& options, Plan& plan) {
  return Search(model, options, plan).run();
}

}  // namespace twofold
