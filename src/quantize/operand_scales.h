// Which tensors' range the scale of each operand covers.
#ifndef TWOFOLD_SRC_QUANTIZE_OPERAND_SCALES_H_
#define TWOFOLD_SRC_QUANTIZE_OPERAND_SCALES_H_

#include <cstddef>
#include <map>
#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/extent.h"
#include "quantize/mover_groups.h"
#include "quantize/split_group.h"

namespace twofold {

// Operands of one group (ScaleGroups) have one scale, where no operand that computes loses more than kSharedScaleRatio
// by it or has a wider range. Any other group is split (split_group.h), unless the plan's target has it that scales are
// shared: then the group's is the widest.
//
// Pure: of the plan's operands no more is looked at than which get integers, which move data and which are asymmetric.
// Thread-safe as const.
class OperandScales {
 public:
  // `bounds`: those of observation_requests. Where some are missing, the group has one scale.
  OperandScales(const Graph& graph, const Plan& plan, const ValueBounds& bounds);

  // A number that operands of one scale have in common. Of an operand that the plan makes no integers of: that which
  // its tensor would have.
  size_t scale(NodeId node, OperandRef operand) const;
  // The values whose range, taken together, is that of the scale.
  const std::vector<ValueId>& observed(size_t scale) const { return observed_[scale]; }
  // In the order of operands.
  const std::vector<SharedScaleLoss>& losses() const { return losses_; }

 private:
  void add(const SplitGroup& split);

  const Graph& graph_;
  std::vector<size_t> of_value_;           // by ValueId
  std::map<MoverInput, size_t> of_input_;  // of groups that are split
  std::vector<std::vector<ValueId>> observed_;
  std::vector<SharedScaleLoss> losses_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_OPERAND_SCALES_H_
