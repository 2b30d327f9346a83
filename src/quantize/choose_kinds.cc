#include "quantize/choose_kinds.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "quantize/decide.h"
#include "quantize/fit_biases.h"
#include "quantize/output_noise.h"
#include "quantize/trials.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

bool is_open(const OperandPlan& operand) {
  const bool by_default = operand.decided_by == DecidedBy::kDefault || operand.decided_by == DecidedBy::kSearch;
  return by_default && operand.operand.is_input() && !operand.moves_data && !is_gemm_type(operand.op_type);
}

class Choice {
 public:
  Choice(CalibratedModel& model, const PlanRequest& request, const std::function<void(int64_t, int64_t)>& progress)
      : model_(model), request_(request), progress_(progress), trials_(model, {}) {}

  KindChoice run(Plan plan) {
    decide(plan);
    find_kinds(plan);
    total_ = static_cast<int64_t>(result_.kinds.size()) + 1;
    if (result_.kinds.empty()) return std::move(result_);
    trials_.set_base({});
    result_.products = noise_of(plan, [](const OperandPlan& operand) { return is_gemm_type(operand.op_type); });
    for (OperatorKind& kind : result_.kinds) kind.noise[QType::kInt8] = noise_of_kind(plan, kind);
    raise(too_noisy());
    return std::move(result_);
  }

 private:
  // Weights are rounded to the nearest.
  void decide(Plan& plan) {
    take_mse_ranges(plan);
    decide_constants(model_.graph(), plan);
    Ranges ranges(model_.graph(), plan, model_.statistics());
    fit_biases(model_.graph(), ranges, plan);
    decide_activations(model_.graph(), ranges, {}, plan);
  }

  Plan decided(KindPrecisions precisions) {
    PlanRequest request = request_;
    request.options.kinds = std::move(precisions);
    request.options.strict = false;  // what a target lacks is not chosen
    Plan plan = calibrated_plan(model_, request);
    decide(plan);
    return plan;
  }

  void find_kinds(const Plan& plan) {
    std::map<std::string, std::set<std::string>> nodes;
    for (const OperandPlan& operand : plan.operands()) {
      if (!is_open(operand) || operand.granted != QType::kInt8) continue;
      std::set<std::string>& of_kind = nodes[operand.op_type];
      if (of_kind.empty()) result_.kinds.push_back({operand.op_type});
      of_kind.insert(operand.node);
    }
    for (OperatorKind& kind : result_.kinds) kind.nodes = nodes[kind.op_type].size();
  }

  template <typename Predicate>
  double noise_of(const Plan& plan, const Predicate& belongs) {
    std::vector<OperandQuantization> operands;
    for (const OperandPlan& operand : plan.operands()) {
      if (operand.granted != QType::kFloat32 && belongs(operand)) {
        operands.push_back(decided_operand(model_.graph(), operand));
      }
    }
    const double noise = output_noise(trials_.errors(std::move(operands)));
    ++done_;
    if (progress_) progress_(done_, total_);
    return noise;
  }

  double noise_of_kind(const Plan& plan, const OperatorKind& kind) {
    return noise_of(plan,
                    [&](const OperandPlan& operand) { return is_open(operand) && operand.op_type == kind.op_type; });
  }

  // All but the quietest ones, which together stay within the budget.
  std::vector<OperatorKind*> too_noisy() {
    std::vector<OperatorKind*> kinds;
    for (OperatorKind& kind : result_.kinds) kinds.push_back(&kind);
    std::ranges::stable_sort(kinds, {}, [](const OperatorKind* kind) { return kind->noise.at(QType::kInt8); });
    double sum = 0;
    const auto beyond = std::ranges::find_if(kinds, [&](const OperatorKind* kind) {
      sum += kind->noise.at(QType::kInt8);
      return sum > kNoiseBesideProducts * result_.products;
    });
    return {beyond, kinds.end()};
  }

  // Tries the other precisions, the cheapest first; a kind takes the first that suffices, else the best.
  void raise(std::vector<OperatorKind*> kinds) {
    const double enough = kNoiseBesideProducts * result_.products / static_cast<double>(result_.kinds.size());
    for (const QType qtype : {QType::kInt16, QType::kFloat32}) {
      if (kinds.empty()) return;
      total_ += static_cast<int64_t>(kinds.size());
      KindPrecisions precisions;
      for (const OperatorKind* kind : kinds) precisions[kind->op_type] = qtype;
      const Plan plan = decided(std::move(precisions));
      std::erase_if(kinds, [&](OperatorKind* kind) {
        if (!is_granted(plan, *kind)) return false;
        const double noise = qtype == QType::kFloat32 ? 0 : noise_of_kind(plan, *kind);
        if (noise < kind->noise.at(kind->chosen)) kind->chosen = qtype;
        kind->noise[qtype] = noise;
        return noise <= enough;
      });
    }
  }

  // A target may lack a precision for an operator: then its operands are granted another one.
  static bool is_granted(const Plan& plan, const OperatorKind& kind) {
    return std::ranges::all_of(plan.operands(), [&](const OperandPlan& operand) {
      return operand.op_type != kind.op_type || !is_open(operand) || operand.granted == operand.asked;
    });
  }

  CalibratedModel& model_;
  const PlanRequest& request_;
  const std::function<void(int64_t, int64_t)>& progress_;
  Trials trials_;
  KindChoice result_;
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

KindPrecisions KindChoice::precisions() const {
  KindPrecisions result;
  for (const OperatorKind& kind : kinds) {
    if (kind.chosen != QType::kInt8) result[kind.op_type] = kind.chosen;
  }
  return result;
}

KindChoice choose_kinds(CalibratedModel& model, const PlanRequest& request, Plan plan,
                        const std::function<void(int64_t, int64_t)>& progress) {
  return Choice(model, request, progress).run(std::move(plan));
}

}  // namespace twofold
