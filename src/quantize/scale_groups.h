// Tensors that operators between them, which only move or clamp integers, join to one scale.
#ifndef TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_
#define TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_

#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/extent.h"

namespace twofold {

// A partition of the values of a graph. Thread-safe as const.
//
// Where the plan quantizes the input of an operator that moves data (Reshape, Transpose, Concat, Slice, MaxPool, ...),
// its inputs and outputs are one group: integers go through it unchanged. Constants are not: they have the scale of
// their own numbers. Relu and Clip only where nothing else reads their input, or bounds say that their output is so
// much narrower that integers of their input would be too coarse for it.
//
// A group is what may share a scale; OperandScales says what does.
class ScaleGroups {
 public:
  // `bounds` may lack what was not observed.
  ScaleGroups(const Graph& graph, const Plan& plan, const ValueBounds& bounds = {});

  // One value that stands for the group of `id`.
  ValueId representative(ValueId id) const;
  // The values whose range is the group's: those that hold everything the others hold (the output of a Concat or a
  // Relu, the input of a Slice).
  const std::vector<ValueId>& observed(ValueId id) const { return observed_[static_cast<size_t>(representative(id))]; }
  // The operands that join their node's inputs and outputs, by position in the plan.
  const std::vector<size_t>& joining() const { return joining_; }

 private:
  void join(ValueId a, ValueId b);

  std::vector<ValueId> parent_;
  std::vector<std::vector<ValueId>> observed_;  // by representative
  std::vector<size_t> joining_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SCALE_GROUPS_H_
