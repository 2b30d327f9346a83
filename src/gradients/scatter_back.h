// The gradient of operators that move numbers about, led back place by place.
#ifndef TWOFOLD_SRC_GRADIENTS_SCATTER_BACK_H_
#define TWOFOLD_SRC_GRADIENTS_SCATTER_BACK_H_

#include "gradients/rule.h"

namespace twofold {

// A gradient of shape `shape`: the sum at each place, in row-major order, of the elements of dy whose `position`
// (int64, as many as dy has) it is. With `spare`, position -1 stands for no place.
Term scatter_back(BackwardGraph& backward, Term position, Term dy, const Shape& shape, bool spare = false);

// Does that for an operator that only moves elements of input 0: it runs once more, on their positions. So it may take
// its other inputs as they come at run time.
void lead_back_by_position(RuleCall& call);

// The numbers from 0 on, as a constant.
Term positions(BackwardGraph& backward, const Shape& shape);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_SCATTER_BACK_H_
