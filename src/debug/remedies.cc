#include "debug/remedies.h"

#include <algorithm>

#include "plan/operands.h"
#include "quantize/decide.h"
#include "traits/gemm_type.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// A remedy for any node, as far as it applies.
struct Proposal {
  RemedyKind kind;
  std::string words;            // empty: what is granted says it
  ActivationConfig activation;  // of kRange
  Rounding rounding = Rounding::kNearest;
};

std::vector<Proposal> precision_proposals() {
  return {{RemedyKind::kFirstAt16, "", {}},
          {RemedyKind::kSecondAt16, "", {}},
          {RemedyKind::kAt16, "", {}},
          {RemedyKind::kFloat, "", {}}};
}

std::vector<Proposal> range_proposals() {
  const auto by = [](std::string words, RangeMethod method, double percentile = 1, bool asymmetric = false) {
    ActivationConfig activation;
    activation.methods = {method};
    if (method == RangeMethod::kPercentile) activation.max_percentile = {percentile};
    if (asymmetric) activation.asymmetric = {true};
    return Proposal{RemedyKind::kRange, "range by " + std::move(words), activation};
  };
  // First those that need a histogram, so that one calibration is enough for all.
  return {by("kl", RangeMethod::kKl),
          by("mse", RangeMethod::kMse),
          by("percentile 0.9999", RangeMethod::kPercentile, 0.9999),
          by("percentile 0.99999", RangeMethod::kPercentile, 0.99999),
          by("max", RangeMethod::kMax),
          by("max, asymmetric", RangeMethod::kMax, 1, true),
          {RemedyKind::kRounding, "weights rounded to the nearest", {}, Rounding::kNearest},
          {RemedyKind::kRounding, "weights rounded so that sums stay", {}, Rounding::kPreserveSum}};
}

class Trier {
 public:
  Trier(Replanner& replanner, CalibratedModel& model, const std::vector<Suspect>& suspects,
        const RemedyOptions& options)
      : replanner_(replanner), model_(model), suspects_(suspects), options_(options), graph_(model.graph()) {}

  std::vector<std::vector<Remedy>> run() {
    result_.resize(suspects_.size());
    for (const Proposal& proposal : range_proposals()) {
      propose(proposal, std::min(suspects_.size(), options_.with_ranges));
    }
    for (const Proposal& proposal : precision_proposals()) propose(proposal, suspects_.size());
    measure();
    for (std::vector<Remedy>& remedies : result_) std::ranges::stable_sort(remedies, {}, &Remedy::added_cost);
    return std::move(result_);
  }

 private:
  // What the node's level has to say; nothing where the proposal is none for it.
  std::optional<LevelConfig> level_of(const Proposal& proposal, const std::string& name) const {
    const Node& node = graph_.node(graph_.find_node(name));
    LevelConfig level;
    if (fixed(proposal.kind).contains(name)) return std::nullopt;
    std::vector<OperandRef> inputs;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      const OperandPlan* operand = replanner_.tested().find(name, OperandRef::input(i));
      if (operand != nullptr && is_integer(operand->granted)) inputs.push_back(operand->operand);
    }
    if (inputs.empty()) return std::nullopt;
    switch (proposal.kind) {
      case RemedyKind::kFirstAt16:
      case RemedyKind::kSecondAt16: {
        if (!is_gemm_type(node) || inputs.size() != 2) return std::nullopt;
        const OperandRef input = inputs[proposal.kind == RemedyKind::kFirstAt16 ? 0 : 1];
        level.operands[input] = at_16_bits(node, input);
        break;
      }
      case RemedyKind::kAt16:
        for (const OperandRef input : inputs) level.operands[input] = at_16_bits(node, input);
        break;
      case RemedyKind::kRange: level.activation = proposal.activation; break;
      case RemedyKind::kRounding: level.weight.rounding = {proposal.rounding}; break;
      case RemedyKind::kFloat: level.qtype = NodeQType::kFloat32; break;
    }
    return level;
  }

  // The nodes that such a remedy would have to change against the config.
  const std::set<std::string>& fixed(RemedyKind kind) const {
    if (kind == RemedyKind::kRange) return options_.fixed.activation;
    return kind == RemedyKind::kRounding ? options_.fixed.weight : options_.fixed.precision;
  }

  // A weight as two digits of 8 bits, which is what hardware has, where the operator takes that; resolve() makes int16
  // of it, or ec of the other one, where the target asks for that.
  QType at_16_bits(const Node& node, OperandRef input) const {
    const bool digits = is_weight(graph_, node, input.index) && takes_ec(node.op_type, input.index);
    return digits ? QType::kEc : QType::kInt16;
  }

  // One plan for all suspects: alone, each has its own operands of it.
  void propose(const Proposal& proposal, size_t count) {
    std::vector<QuantConfig> lines(count);
    QuantConfig all;
    for (size_t i = 0; i < count; ++i) {
      for (const std::string& node : suspects_[i].nodes) {
        if (const std::optional<LevelConfig> level = level_of(proposal, node)) {
          lines[i].nodes[node] = *level;
          all.nodes[node] = *level;
        }
      }
    }
    if (all.nodes.empty()) return;
    const Plan plan = replanner_.plan(all);
    for (size_t i = 0; i < count; ++i) {
      if (!lines[i].nodes.empty()) add(proposal, i, std::move(lines[i]), plan);
    }
  }

  void add(const Proposal& proposal, size_t suspect, QuantConfig lines, const Plan& plan) {
    std::vector<OperandQuantization> operands;
    bool differs = false;
    Remedy remedy{proposal.kind, proposal.words, std::move(lines)};
    for (const std::string& node : suspects_[suspect].nodes) {
      std::string words;
      std::vector<QType> before, after;
      for (const OperandPlan* operand : plan.of_node(node)) {
        const OperandPlan* tested = replanner_.tested().find(node, operand->operand);
        if (operand->granted != QType::kFloat32) operands.push_back(decided_operand(graph_, *operand));
        if (operand->operand.is_input()) after.push_back(operand->granted);
        if (operand->operand.is_input() && tested != nullptr) before.push_back(tested->granted);
        const bool same = tested != nullptr && tested->granted == operand->granted;
        differs |= !same || tested->params != operand->params ||
                   (proposal.kind == RemedyKind::kRounding && operand->is_weight &&
                    tested->weight.rounding != operand->weight.rounding);
        if (!same && operand->operand.is_input()) {
          words += fmt::format("{}{} {}", words.empty() ? "" : ", ", to_string(operand->operand),
                               to_string(operand->granted));
        }
      }
      if (proposal.kind == RemedyKind::kRange && suspects_[suspect].nodes.size() == 1) {
        remedy.words += thresholds(plan, node);
      }
      if (remedy.words.empty())
        remedy.words = suspects_[suspect].nodes.size() == 1 ? words : group_words(proposal.kind);
      remedy.node_costs[node] = added_cost(node, before, after);
    }
    if (!differs) return;  // the target has nothing nearer, or it is so already
    if (proposal.kind == RemedyKind::kFloat) remedy.words = "float32";
    places_.emplace_back(suspect, result_[suspect].size());
    tried_.push_back(std::move(operands));
    result_[suspect].push_back(std::move(remedy));
  }

  // " (threshold 3.2)" for what has another one.
  std::string thresholds(const Plan& plan, const std::string& node) const {
    std::string text;
    for (const OperandPlan* operand : plan.of_node(node)) {
      const OperandPlan* tested = replanner_.tested().find(node, operand->operand);
      if (!is_integer(operand->granted) || tested == nullptr || tested->threshold == operand->threshold) continue;
      text += fmt::format("{}{:.4g}", text.empty() ? " (threshold " : ", ", operand->threshold);
    }
    return text.empty() ? "" : text + ")";
  }

  // Of nodes whose inputs may have other numbers and forms.
  static std::string group_words(RemedyKind kind) {
    switch (kind) {
      case RemedyKind::kFirstAt16: return "first inputs at 16 bits";
      case RemedyKind::kSecondAt16: return "second inputs at 16 bits";
      default: return "all inputs at 16 bits";
    }
  }

  double added_cost(const std::string& node, const std::vector<QType>& before, const std::vector<QType>& after) const {
    const auto work = options_.work.find(node);
    if (work == options_.work.end() || before.empty() || after.empty()) return 0;
    const std::string& op_type = graph_.node(graph_.find_node(node)).op_type;
    const Target& target = replanner_.target();
    return work->second * (target.cost(op_type, after) - target.cost(op_type, before)) / options_.whole_cost;
  }

  void measure() {
    const std::vector<Sensitivity> found = measure_alone(model_, tried_, options_.measuring(tried_.size()));
    for (size_t i = 0; i < places_.size(); ++i) {
      Remedy& remedy = result_[places_[i].first][places_[i].second];
      remedy.sensitivity = found[i];
      remedy.noise = found[i].noise(options_.outputs);
    }
  }

  Replanner& replanner_;
  CalibratedModel& model_;
  const std::vector<Suspect>& suspects_;
  const RemedyOptions& options_;
  const Graph& graph_;
  std::vector<std::vector<Remedy>> result_;
  std::vector<std::vector<OperandQuantization>> tried_;
  std::vector<std::pair<size_t, size_t>> places_;  // suspect and remedy that each of them is of
};

}  // namespace

double Remedy::added_cost() const {
  double sum = 0;
  for (const auto& [node, cost] : node_costs) sum += cost;
  return sum;
}

std::vector<std::vector<Remedy>> try_remedies(Replanner& replanner, CalibratedModel& model,
                                              const std::vector<Suspect>& suspects, const RemedyOptions& options) {
  return Trier(replanner, model, suspects, options).run();
}

const Remedy* chosen_remedy(const std::vector<Remedy>& remedies, const Suspect& suspect, Effort effort) {
  const auto costs_less = [](const Remedy& a, const Remedy& b) {
    const double a_cost = a.added_cost(), b_cost = b.added_cost();
    return a_cost != b_cost ? a_cost < b_cost : a.noise < b.noise;
  };
  const Remedy *cheapest = nullptr, *best = nullptr, *in_float = nullptr;
  for (const Remedy& remedy : remedies) {
    const bool same_precision = remedy.kind == RemedyKind::kRange || remedy.kind == RemedyKind::kRounding;
    if (remedy.noise >= suspect.noise / 2 || (same_precision && effort != Effort::kCheapest)) continue;
    if (remedy.kind == RemedyKind::kFloat) {
      in_float = &remedy;
      continue;
    }
    if (remedy.noise <= suspect.noise / 5 && (cheapest == nullptr || costs_less(remedy, *cheapest))) cheapest = &remedy;
    if (best == nullptr || remedy.noise < best->noise) best = &remedy;
  }
  if (effort != Effort::kMost && cheapest != nullptr) return cheapest;
  return best != nullptr ? best : in_float;
}

}  // namespace twofold
