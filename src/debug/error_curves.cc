#include "debug/error_curves.h"

#include <algorithm>

#include "debug/only.h"

namespace twofold {

std::vector<TensorComparison> errors_along(CalibratedModel& model, const Plan& plan, const std::set<size_t>& operands,
                                           const Dataset& data, const CompareOptions& options) {
  std::vector<TensorComparison> tensors =
      compare(model.graph(), model.apply(only(plan, operands)), data, options).tensors;
  // Of a node with several outputs the first one.
  std::set<std::string> seen;
  std::erase_if(tensors, [&](const TensorComparison& tensor) { return !seen.insert(tensor.node).second; });
  return tensors;
}

Growth errors_growing(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units, size_t points,
                      const SensitivityOptions& options) {
  Growth growth;
  std::vector<Unit> grown;
  points = std::min(points, units.size());
  for (size_t point = 1; point <= points; ++point) {
    const size_t count = point * units.size() / points;
    Unit& unit = grown.emplace_back();
    for (size_t i = 0; i < count; ++i) {
      unit.operands.insert(unit.operands.end(), units[i].operands.begin(), units[i].operands.end());
    }
    growth.counts.push_back(count);
  }
  growth.errors = measure_sensitivity(model, plan, grown, options);
  return growth;
}

}  // namespace twofold
