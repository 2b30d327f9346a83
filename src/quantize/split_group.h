// Scales of their own for operands of a group that one scale does not fit.
#ifndef TWOFOLD_SRC_QUANTIZE_SPLIT_GROUP_H_
#define TWOFOLD_SRC_QUANTIZE_SPLIT_GROUP_H_

#include <cstddef>
#include <map>
#include <vector>

#include "plan/plan.h"
#include "quantize/extent.h"
#include "quantize/mover_groups.h"

namespace twofold {

// What an operand that computes (not one that moves data) loses of its resolution to a scale that it shares.
struct SharedScaleLoss {
  size_t operand = 0;    // by position in the plan
  NodeId mover = kNone;  // what moves its integers together with larger ones; kNone: the group has one scale
  float ratio = 1;       // of the scale that it gets to that of its own range

  bool operator==(const SharedScaleLoss&) const = default;
};

struct SplitGroup {
  std::vector<std::vector<ValueId>> observed;  // per scale, the values whose range, taken together, it covers
  std::map<ValueId, size_t> of_value;          // the scale of what computes with a value
  std::map<MoverInput, size_t> of_input;       // that of a mover's input
  std::vector<SharedScaleLoss> losses;         // of those in `of_value` that no scale of a mover is fine enough for
};

// Readers before writers:
//
//   a ─┬─ Conv                  own range of a
//      └─ Concat ─ y ─ Conv     range of y for both inputs of the Concat: it moves integers as they are, and `a` is
//   b ───┘                      quantized twice
//
// - What computes takes the range of what it reads.
// - A mover takes one range at all its inputs: that of its results, or the widest that they are read with where that is
//   narrower, so that a Slice or a Relu may cut off what it leaves out.
// - Scales that meet at a mover, or at a tensor that no mover computes, become one, the wider, where none of their
//   readers comes to lose more than kSharedScaleRatio.
//
// A reader behind a mover whose range is wider than its own by more than that (of a part of a Split, say) is a loss.
// `observed`: the values that hold all of the group. A value without bounds is taken to reach as far as they do.
// REQUIRES: bounds of `observed` and of what `direct` readers read.
SplitGroup split_group(const MoverGroup& group, const Plan& plan, const ValueBounds& bounds,
                       const std::vector<ValueId>& observed);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SPLIT_GROUP_H_
