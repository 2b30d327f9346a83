// The scores in front of a Softmax, and which of them count for their range.
#ifndef TWOFOLD_SRC_CALIBRATE_SCORES_H_
#define TWOFOLD_SRC_CALIBRATE_SCORES_H_

#include <optional>

#include "graph/graph.h"
#include "twofold/tensor.h"

namespace twofold {

// The axis of the Softmax, which may be negative, where it alone reads the value.
std::optional<int> scores_axis(const Graph& graph, ValueId value);

// The scores, float32 in any layout, with those raised that lie so far below the largest of their row that the
// Softmax makes nothing of them: masks add -10000, the lowest float32 or -infinity, and a scale that covers these
// rounds all scores to 0. exp(-16 ln 2) = 2^-16 is less than half a step of the finest integers that the Softmax's
// result may get, int16 over a range that reaches at least the largest result of any row. So scores are raised to 16 ln
// 2 below the largest; beyond the range they saturate, which leaves them at least so far below. Rows that are masked as
// a whole, and so hold no scores, become 0. NaN and +infinity stay. Tensors of another type are given back as they are.
Tensor without_masked_scores(const Tensor& scores, int axis);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_SCORES_H_
