#include "debug/outcome.h"

#include <algorithm>

namespace twofold {

namespace {

std::optional<RepairStep> step(Examined& examined, Effort effort, double noise) {
  const Remedy* remedy =
      effort == Effort::kCheapest ? first_choice(examined) : chosen_remedy(examined.remedies, examined.suspect, effort);
  if (remedy == nullptr) return std::nullopt;
  return RepairStep{&examined, remedy, noise - remedy->noise};
}

void append(std::vector<RepairStep> steps, std::vector<RepairStep>& order) {
  std::ranges::stable_sort(steps, std::greater(), &RepairStep::gain);
  order.insert(order.end(), steps.begin(), steps.end());
}

std::vector<RepairStep> first_steps(const std::vector<RepairStep>& order, size_t count) {
  return {order.begin(), order.begin() + static_cast<ptrdiff_t>(count)};
}

}  // namespace

NodeLines lines_of(const std::vector<RepairStep>& steps) {
  NodeLines lines;
  for (const RepairStep& step : steps) {
    for (const auto& [node, level] : step.remedy->lines.nodes) {
      const auto there = lines.find(node);
      if (there != lines.end() && there->second.level.operands.size() >= level.operands.size()) continue;
      const auto cost = step.remedy->node_costs.find(node);
      lines[node] = {level, cost == step.remedy->node_costs.end() ? 0 : cost->second};
    }
  }
  return lines;
}

QuantConfig config_of(const NodeLines& lines) {
  QuantConfig config;
  for (const auto& [node, line] : lines) config.nodes[node] = line.level;
  return config;
}

double Outcome::added_cost() const {
  double sum = 0;
  for (const auto& [node, line] : lines) sum += line.added_cost;
  return sum;
}

const Remedy* first_choice(const Examined& examined) {
  // Another range would not mend what two inputs do.
  const Effort effort = examined.both_inputs() ? Effort::kPrecision : Effort::kCheapest;
  return chosen_remedy(examined.remedies, examined.suspect, effort);
}

// What limits the model, then nodes by what they gain, then kinds; where it is not about ranges, the same again with
// what helps most, by what is gained besides.
std::vector<RepairStep> OutcomeSearch::sequence(Effort effort) {
  std::vector<RepairStep> order, all_more;
  if (limit_ != nullptr) {
    if (const auto first = step(*limit_, effort, limit_->suspect.noise)) order.push_back(*first);
  }
  for (auto* all : {&nodes_, &kinds_}) {
    std::vector<RepairStep> steps, more;
    for (Examined& examined : *all) {
      const auto next = step(examined, effort, examined.suspect.noise);
      if (!next) continue;
      if (&examined != limit_) steps.push_back(*next);
      const auto most = step(examined, Effort::kMost, next->remedy->noise);
      if (most && most->remedy != next->remedy) more.push_back(*most);
    }
    append(std::move(steps), order);
    append(std::move(more), all_more);
  }
  if (effort == Effort::kPrecision) order.insert(order.end(), all_more.begin(), all_more.end());
  return order;
}

// How many of the steps, from the first on, make the model good enough; where all do not, those with which it is best.
// Found by doubling, and then looking in between.
Outcome OutcomeSearch::fewest(const std::vector<RepairStep>& order) {
  const auto measured = [&](const std::vector<size_t>& counts) {
    std::vector<NodeLines> sets;
    for (const size_t count : counts) sets.push_back(lines_of(first_steps(order, count)));
    return measure_(sets);
  };
  const auto first_good = [&](const std::vector<Sensitivity>& models) {
    const auto it = std::ranges::find_if(models, [&](const Sensitivity& model) { return is_good(model); });
    return static_cast<size_t>(it - models.begin());
  };
  std::vector<size_t> counts;
  for (size_t count = 1; count < order.size(); count *= 2) counts.push_back(count);
  counts.push_back(order.size());
  std::vector<Sensitivity> models = measured(counts);
  size_t at = first_good(models);
  if (at < models.size() && at > 0 && counts[at] - counts[at - 1] > 1) {
    std::vector<size_t> between;
    for (size_t count = counts[at - 1] + 1; count <= counts[at]; ++count) between.push_back(count);
    counts = std::move(between);
    models = measured(counts);
    at = first_good(models);
  }
  if (at == models.size()) {
    const auto best = std::ranges::min_element(models, {}, [&](const Sensitivity& model) { return noise_of(model); });
    at = static_cast<size_t>(best - models.begin());
  }
  const std::vector<RepairStep> steps = first_steps(order, counts[at]);
  return {steps, lines_of(steps), models[at]};
}

// Drops lines that the model is good enough without: first those of nodes that make little noise for what the line
// costs, as many as can be. A few are tried at a time, between what can be dropped and what cannot.
void OutcomeSearch::leave_out(Outcome& outcome) {
  constexpr size_t kAtATime = 4;
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [node, line] : outcome.lines) {
    const auto noise = node_noise_.find(node);
    const double harm = noise == node_noise_.end() ? 0 : noise->second;
    order.emplace_back(harm / std::max(line.added_cost, 1e-6), node);
  }
  std::ranges::sort(order);
  const NodeLines all = outcome.lines;
  const auto without_first = [&](size_t count) {
    NodeLines left = all;
    for (size_t i = 0; i < count; ++i) left.erase(order[i].second);
    return left;
  };
  size_t droppable = 0, needed = order.size();  // that many can be dropped, so many cannot
  while (needed - droppable > 1) {
    std::vector<size_t> counts;
    const size_t step = std::max<size_t>(1, (needed - droppable) / (kAtATime + 1));
    for (size_t count = droppable + step; count < needed && counts.size() < kAtATime; count += step) {
      counts.push_back(count);
    }
    std::vector<NodeLines> sets;
    for (const size_t count : counts) sets.push_back(without_first(count));
    const std::vector<Sensitivity> models = measure_(sets);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (!is_good(models[i])) {
        needed = counts[i];
        break;
      }
      droppable = counts[i];
      outcome.lines = sets[i];
      outcome.model = models[i];
    }
  }
  std::erase_if(outcome.steps, [&](const RepairStep& step) {
    return std::ranges::none_of(step.remedy->lines.nodes,
                                [&](const auto& line) { return outcome.lines.contains(line.first); });
  });
}

bool OutcomeSearch::is_better(const Outcome& a, const Outcome& b) const {
  if (is_good(a.model) && is_good(b.model)) return a.added_cost() < b.added_cost();
  return noise_of(a.model) < noise_of(b.model);
}

std::optional<Outcome> OutcomeSearch::run() {
  std::optional<Outcome> best;
  for (const Effort effort : {Effort::kCheapest, Effort::kPrecision}) {
    const std::vector<RepairStep> order = sequence(effort);
    if (order.empty()) continue;
    Outcome outcome = fewest(order);
    if (is_good(outcome.model)) leave_out(outcome);
    if (!best || is_better(outcome, *best)) best = std::move(outcome);
  }
  if (best && noise_of(best->model) >= noise_) best.reset();
  return best;
}

}  // namespace twofold
