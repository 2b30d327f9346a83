#include "quantize/operand_scales.h"

#include <algorithm>
#include <utility>

namespace twofold {

namespace {

// Whether there are bounds of all of a group that anything computes with, and of the group as a whole.
bool is_known(const MoverGroup& group, const ValueBounds& bounds, const std::vector<ValueId>& observed) {
  return std::ranges::any_of(observed, [&](ValueId value) { return bounds.contains(value); }) &&
         std::ranges::all_of(group.values, [&](const auto& entry) {
           return entry.second.direct.empty() || bounds.contains(entry.first);
         });
}

// `observed`, and what is computed with and reaches further (the input of a MaxPool, say).
std::vector<ValueId> with_wider(const MoverGroup& group, const ValueBounds& bounds, std::vector<ValueId> observed) {
  const float shared = *extent(bounds, observed, group.asymmetric);
  for (const auto& [value, readers] : group.values) {
    if (!readers.direct.empty() && extent(bounds.at(value), group.asymmetric) > shared) observed.push_back(value);
  }
  return observed;
}

// What the operands of a group lose where it has one scale.
std::vector<SharedScaleLoss> losses_of_one_scale(const MoverGroup& group, const ValueBounds& bounds,
                                                 const std::vector<ValueId>& observed) {
  std::vector<SharedScaleLoss> losses;
  const float shared = *extent(bounds, observed, group.asymmetric);
  for (const auto& [value, readers] : group.values) {
    if (readers.direct.empty()) continue;
    const float own = extent(bounds.at(value), group.asymmetric);
    if (own == 0 || shared <= kSharedScaleRatio * own) continue;  // zeros are zeros at any scale
    for (const size_t position : readers.direct) losses.push_back({position, kNone, shared / own});
  }
  return losses;
}

}  // namespace

OperandScales::OperandScales(const Graph& graph, const Plan& plan, const ValueBounds& bounds) : graph_(graph) {
  const ScaleGroups groups(graph, plan, plan.shared_scales ? ValueBounds() : bounds);
  std::map<ValueId, size_t> of_group;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const auto [entry, is_new] = of_group.try_emplace(groups.representative(id), observed_.size());
    if (is_new) observed_.push_back(groups.observed(id));
    of_value_.push_back(entry->second);
  }
  for (const auto& [representative, group] : mover_groups(graph, plan, groups)) {
    const std::vector<ValueId>& observed = groups.observed(representative);
    if (!is_known(group, bounds, observed)) continue;
    std::vector<ValueId> all = with_wider(group, bounds, observed);
    const std::vector<SharedScaleLoss> losses = losses_of_one_scale(group, bounds, all);
    if (plan.shared_scales) {
      observed_[of_group.at(representative)] = std::move(all);
      losses_.insert(losses_.end(), losses.begin(), losses.end());
    } else if (!losses.empty() || all != observed) {
      add(split_group(group, plan, bounds, observed));
    }
  }
  std::ranges::stable_sort(losses_, {}, &SharedScaleLoss::operand);
}

void OperandScales::add(const SplitGroup& split) {
  const size_t first = observed_.size();
  observed_.insert(observed_.end(), split.observed.begin(), split.observed.end());
  for (const auto& [value, scale] : split.of_value) of_value_[static_cast<size_t>(value)] = first + scale;
  for (const auto& [input, scale] : split.of_input) of_input_[input] = first + scale;
  losses_.insert(losses_.end(), split.losses.begin(), split.losses.end());
}

size_t OperandScales::scale(NodeId node, OperandRef operand) const {
  if (operand.is_input()) {
    const auto it = of_input_.find({node, operand.index});
    if (it != of_input_.end()) return it->second;
  }
  const Node& of = graph_.node(node);
  return of_value_[static_cast<size_t>(operand.is_input() ? of.input(operand.index) : of.output(operand.index))];
}

}  // namespace twofold
