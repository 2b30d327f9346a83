// Operators that stay float because integers of one scale, moved by them, are too coarse for who reads them.
#ifndef TWOFOLD_SRC_QUANTIZE_SETTLE_MOVERS_H_
#define TWOFOLD_SRC_QUANTIZE_SETTLE_MOVERS_H_

#include "plan/plan.h"
#include "plan/target.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// Leaves each mover float that an operand behind it loses more than kSharedScaleRatio by (OperandScales::losses), such
// as a Concat of boxes in pixels and scores that are sliced apart again:
//
//   boxes ──┐            ┌─ Slice ─ Mul            boxes ──┐            ┌─ Slice ─ Q ─ Mul
//          Concat ───────┤                   =>           Concat ───────┤
//   scores ─┘  one scale └─ Slice ─ Mul            scores ─┘  float     └─ Slice ─ Q ─ Mul
//
// and with it, as config.md has it that movers ask for what reads their results, those before it; and those behind it
// that take a part, which is then all that is quantized. Refuses movers that a level of the config mentions, and those
// that the target does not take as float. The plan's notes name what stays float, and what is lost still: to a mover
// that was refused, or on a target with shared scales.
// REQUIRES: `model` is calibrated for the plan; `target` is the plan's. Afterwards it is calibrated for the plan as it
// is then.
void settle_movers(CalibratedModel& model, const Target& target, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SETTLE_MOVERS_H_
