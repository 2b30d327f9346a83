// Tensors that share one scale, because the operators between them only move or clamp integers.
#ifndef TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_
#define TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_

#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// A partition of the values of a graph. Thread-safe as const.
//
// Where the plan quantizes the input of an operator that moves data (Reshape, Transpose, Concat, Slice, MaxPool, ...),
// its inputs and outputs are one group: integers go through it unchanged. Relu and Clip too, but only if nothing else
// reads their input, since their output may be much narrower.
class ScaleGroups {
 public:
  ScaleGroups(const Graph& graph, const Plan& plan);

  // One value that stands for the group of `id`.
  ValueId representative(ValueId id) const;
  // The values whose range is the group's: those that hold everything the others hold (the output of a Concat or a
  // Relu, the input of a Slice).
  const std::vector<ValueId>& observed(ValueId id) const { return observed_[static_cast<size_t>(representative(id))]; }

 private:
  void join(ValueId a, ValueId b);

  std::vector<ValueId> parent_;
  std::vector<std::vector<ValueId>> observed_;  // by representative
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_
