#include "debug/diagnosis.h"

#include <algorithm>

#include "debug/grouping.h"
#include "debug/outcome.h"
#include "quantize/decide.h"
#include "quantize/plan_cost.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

// Nodes of which remedies are tried, at most, and of which ranges are tried and errors taken apart, too.
constexpr size_t kNodes = 32, kNodesInDetail = 8;
// Blocks of names are looked at as deep as there are no more of them; remedies are tried of the worst.
constexpr size_t kBlocks = 48, kBlocksWithRemedies = 8;
// A node that makes no more than this part of the noise that would do is no suspect.
constexpr double kNegligible = 1e-3;
// A node, kind or block that makes this part of what another one makes limits the model as much.
constexpr double kNearly = 0.7;

class Diagnosing {
 public:
  explicit Diagnosing(const DiagnosisInput& input)
      : input_(input), graph_(input.model.graph()), plan_(input.replanner.tested()) {}

  Diagnosis run() {
    measure_whole();
    for (size_t i = 0; i < input_.nodes.size(); ++i) {
      const double noise = input_.sensitivities[i].noise(input_.outputs);
      node_noise_[input_.nodes[i].name] = noise;
      if (!follows_readers(input_.nodes[i])) result_.sum += noise;
    }
    if (result_.is_good()) {
      result_.repaired = result_.whole;
      return std::move(result_);
    }
    result_.nodes = worst_nodes();
    result_.kinds = groups(ByOpType{});
    result_.blocks = blocks();
    try_remedies();
    explain();
    choose();
    return std::move(result_);
  }

 private:
  // How to measure so many models, and tell how far that is.
  SensitivityOptions measuring(std::string_view stage, size_t models) const {
    return counting(input_.measuring, input_.progress, std::string(stage), models);
  }

  void measure_whole() {
    result_.whole = measure_plans("whole model", {decided_operands(graph_, plan_)}).front();
    result_.noise = result_.whole.noise(input_.outputs);
    result_.costs = plan_cost(input_.calibrated, plan_, input_.replanner.target());
  }

  std::vector<Sensitivity> measure_plans(std::string_view stage,
                                         const std::vector<std::vector<OperandQuantization>>& operands) const {
    return measure_alone(input_.model, operands, measuring(stage, operands.size()));
  }

  // True for what only moves numbers, in the precision that its readers ask for: it does nothing that they do not.
  bool follows_readers(const Unit& unit) const {
    return std::ranges::all_of(unit.operands, [&](size_t position) {
      const OperandPlan& operand = plan_.operands()[position];
      return operand.moves_data && operand.decided_by == DecidedBy::kDefault;
    });
  }

  std::vector<Examined> worst_nodes() const {
    std::vector<Examined> nodes;
    for (const Unit& unit : input_.nodes) {
      if (follows_readers(unit)) continue;
      const double noise = node_noise_.at(unit.name);
      if (noise <= kNegligible * kTolerableNoise) continue;
      nodes.push_back({{unit.name, unit.op_type, {unit.name}, noise}});
      nodes.back().is_gemm = is_gemm_type(graph_.node(graph_.find_node(unit.name)));
    }
    sort_by_noise(nodes);
    if (nodes.size() > kNodes) nodes.resize(kNodes);
    return nodes;
  }

  static void sort_by_noise(std::vector<Examined>& examined) {
    std::ranges::stable_sort(examined, std::greater(), [](const Examined& e) { return e.suspect.noise; });
  }

  // Groups of several nodes, and not of all, worst first.
  std::vector<Examined> groups(const Grouping& grouping) const {
    std::vector<Unit> units = group_units(graph_, plan_, grouping);
    std::erase_if(units, [&](const Unit& unit) {
      const size_t nodes = nodes_of(plan_, unit).size();
      return nodes < 2 || nodes == input_.nodes.size() || follows_readers(unit);
    });
    const std::vector<Sensitivity> found =
        measure_sensitivity(input_.model, plan_, units, measuring("groups", units.size()));
    std::vector<Examined> groups;
    for (size_t i = 0; i < units.size(); ++i) {
      groups.push_back({{units[i].name, units[i].op_type, nodes_of(plan_, units[i]), found[i].noise(input_.outputs)}});
    }
    sort_by_noise(groups);
    return groups;
  }

  std::vector<Examined> blocks() const {
    int depth = 0;
    for (int deeper = 1; deeper < 16; ++deeper) {
      const std::vector<Unit> units = group_units(graph_, plan_, ByPrefix{deeper});
      if (units.size() > kBlocks) break;
      if (units.size() > 1) depth = deeper;
    }
    if (depth == 0) return {};
    std::vector<Examined> found = groups(ByPrefix{depth});
    std::erase_if(found, [](const Examined& block) { return !block.suspect.op_type.empty(); });
    return found;
  }

  void try_remedies() {
    RemedyOptions options{[this](size_t models) { return measuring("remedies", models); },
                          input_.outputs,
                          input_.fixed,
                          kNodesInDetail,
                          {},
                          result_.costs.total()};
    for (const NodeCost& node : result_.costs.nodes) options.work[node.node] = node.work;
    try_on(result_.nodes, options);
    options.with_ranges = 0;
    try_on(result_.kinds, options);
    if (result_.blocks.size() > kBlocksWithRemedies) result_.blocks.resize(kBlocksWithRemedies);
    try_on(result_.blocks, options);
  }

  void try_on(std::vector<Examined>& examined, const RemedyOptions& options) {
    std::vector<Suspect> suspects;
    for (const Examined& e : examined) suspects.push_back(e.suspect);
    auto remedies = twofold::try_remedies(input_.replanner, input_.model, suspects, options);
    for (size_t i = 0; i < examined.size(); ++i) {
      examined[i].remedies = std::move(remedies[i]);
    }
  }

  // Takes the errors of the operands of the worst nodes apart.
  void explain() {
    std::vector<size_t> operands;
    std::vector<Examined*> owners;
    for (size_t i = 0; i < std::min(result_.nodes.size(), kNodesInDetail); ++i) {
      for (const OperandPlan* operand : plan_.of_node(result_.nodes[i].suspect.name)) {
        if (!operand->operand.is_input()) continue;
        if (operand->granted != QType::kInt8 && operand->granted != QType::kInt16) continue;
        operands.push_back(static_cast<size_t>(operand - plan_.operands().data()));
        owners.push_back(&result_.nodes[i]);
      }
    }
    std::vector<OperandCause> causes =
        find_causes(input_.model, plan_, operands, input_.outputs, measuring("causes", operands.size()));
    for (size_t i = 0; i < causes.size(); ++i) owners[i]->causes.push_back(std::move(causes[i]));
    for (Examined& node : result_.nodes) std::ranges::stable_sort(node.causes, std::greater(), &OperandCause::noise);
  }

  // Beyond as much noise as signal an output is lost, and more does not matter.
  static double harm(const Examined& examined) { return std::min(examined.suspect.noise, 1.0); }

  // What makes most of the noise alone, or nearly so: the one node that does; where several do, the smallest group that
  // has all of these.
  Examined* limiting() {
    double most = 0;
    for (auto* all : {&result_.nodes, &result_.kinds, &result_.blocks}) {
      for (Examined& examined : *all) most = std::max(most, harm(examined));
    }
    std::vector<Examined*> nodes;
    for (Examined& node : result_.nodes) {
      if (harm(node) >= kNearly * most) nodes.push_back(&node);
    }
    if (nodes.size() == 1) return nodes.front();
    Examined* smallest = nullptr;
    for (auto* groups : {&result_.kinds, &result_.blocks}) {
      for (Examined& group : *groups) {
        const bool has_all = std::ranges::all_of(nodes, [&](const Examined* node) {
          return std::ranges::find(group.suspect.nodes, node->suspect.name) != group.suspect.nodes.end();
        });
        if (!has_all || harm(group) < kNearly * most) continue;
        if (smallest == nullptr || group.suspect.nodes.size() < smallest->suspect.nodes.size()) smallest = &group;
      }
    }
    if (smallest != nullptr) return smallest;
    return result_.nodes.empty() ? nullptr : &result_.nodes.front();
  }

  void choose() {
    Examined* limit = limiting();
    result_.limit = limit;
    result_.repaired = result_.whole;
    result_.repaired_cost = result_.costs.total();
    for (auto* all : {&result_.nodes, &result_.kinds, &result_.blocks}) {
      for (Examined& examined : *all) examined.choose(first_choice(examined));
    }
    const auto measure = [this](const std::vector<NodeLines>& sets) {
      std::vector<std::vector<OperandQuantization>> operands;
      for (const NodeLines& lines : sets) {
        operands.push_back(decided_operands(graph_, input_.replanner.plan(config_of(lines))));
      }
      return measure_plans("combinations", operands);
    };
    OutcomeSearch search(result_.nodes, result_.kinds, limit, result_.noise, node_noise_, input_.outputs, measure);
    const std::optional<Outcome> outcome = search.run();
    if (outcome) take(*outcome);
  }

  void take(const Outcome& outcome) {
    for (const RepairStep& step : outcome.steps) {
      step.examined->needed = true;
      step.examined->choose(step.remedy);
    }
    result_.lines = config_of(outcome.lines);
    result_.repaired = outcome.model;
    result_.repaired_cost =
        plan_cost(input_.calibrated, input_.replanner.plan(result_.lines), input_.replanner.target()).total();
  }

  const DiagnosisInput& input_;
  const Graph& graph_;
  const Plan& plan_;
  OutcomeSearch::NodeNoise node_noise_;
  Diagnosis result_;
};

}  // namespace

Diagnosis diagnose(const DiagnosisInput& input) { return Diagnosing(input).run(); }

}  // namespace twofold
