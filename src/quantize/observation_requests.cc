#include "quantize/observation_requests.h"

#include <algorithm>
#include <map>

#include "quantize/decide.h"
#include "quantize/scale_groups.h"

namespace twofold {

std::vector<ValueRequest> observation_requests(const Graph& graph, const Plan& plan) {
  const ScaleGroups groups(graph, plan);
  std::vector<bool> joins(plan.operands().size(), false);
  for (const size_t position : groups.joining()) joins[position] = true;
  std::map<ValueId, ValueRequest> requests;
  std::map<ValueId, ObserveLevel> levels;  // statistics of one group are merged, so they must be of one level
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (!is_quantized_activation(graph, operand)) continue;
    const ValueId value = graph.find_value(operand.value);
    const auto request = [&](ValueId id) { requests.try_emplace(id, ValueRequest{id, ObserveLevel::kMinMax, false}); };
    std::ranges::for_each(groups.observed(value), request);
    if (!joins[i]) request(value);
    ObserveLevel& level = levels.try_emplace(groups.representative(value), ObserveLevel::kMinMax).first->second;
    for (const RangeChoice& choice : range_choices(operand)) {
      level = std::max(level, observe_level(choice.options.method));
    }
  }
  std::vector<ValueRequest> result;
  for (auto& [value, request] : requests) {
    request.level = levels.at(groups.representative(value));
    result.push_back(request);
  }
  return result;
}

}  // namespace twofold
