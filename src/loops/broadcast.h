// Multidirectional broadcasting as ONNX defines it, brought down to rows.
#ifndef TWOFOLD_SRC_LOOPS_BROADCAST_H_
#define TWOFOLD_SRC_LOOPS_BROADCAST_H_

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

inline constexpr size_t kMaxBroadcastInputs = 3;

// How up to three tensors of any layouts combine into one output.
//
// The output is channels-last if a channels-last input has its rank; inputs that lie otherwise in memory are converted.
// Dimensions are in memory order, those of one element dropped, and neighbours merged where every input can be walked
// through both in one step: equal shapes become one dimension, a per-channel operand [C,1,1] becomes one value per row
// in plain layout and one row for all in channels-last layout.
struct Broadcast {
  Shape shape;
  Layout layout = Layout::kPlain;
  std::vector<Tensor> inputs;                                     // in the memory order of the output
  std::vector<int64_t> dims;                                      // at least one
  std::vector<std::array<int64_t, kMaxBroadcastInputs>> strides;  // per dim and input; the last dim's are 0 or 1

  int64_t row_size() const { return dims.back(); }
  // Step of an input along a row: 1, or 0 where one value serves the whole row.
  int64_t step(size_t input) const { return strides.back()[input]; }
};

// Throws Error(kInvalidModel) naming the shapes if they do not broadcast.
Shape broadcast_shape(const Shape& a, const Shape& b);
Broadcast broadcast(std::span<const Tensor* const> inputs);

// One piece of a row: positions in the inputs and in the output, and the number of elements.
struct BroadcastRun {
  std::array<int64_t, kMaxBroadcastInputs> in;
  int64_t out;
  int64_t size;
};

// Calls body for runs that cover the output, in parallel, each thread at least `grain` elements.
void for_each_run(const Broadcast& plan, int64_t grain, const std::function<void(const BroadcastRun&)>& body);

// Several rows side by side: (r, c) is at in[i] + r * row_strides[i] + c * step(i) in input i, and at
// out + r * columns + c in the output.
struct BroadcastBlock {
  std::array<int64_t, kMaxBroadcastInputs> in;
  int64_t out;
  int64_t rows, columns;
  std::array<int64_t, kMaxBroadcastInputs> row_strides;
};

// The same in blocks: of short rows as many as make up `size` elements, of long ones pieces of one.
void for_each_block(const Broadcast& plan, int64_t grain, int64_t size,
                    const std::function<void(const BroadcastBlock&)>& body);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_BROADCAST_H_
