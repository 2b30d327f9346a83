// The float model's tensors, one sample after the other.
#ifndef TWOFOLD_SRC_DEBUG_OBSERVE_TENSORS_H_
#define TWOFOLD_SRC_DEBUG_OBSERVE_TENSORS_H_

#include <functional>
#include <set>

#include "quantize/calibrated_model.h"

namespace twofold {

// Calls `on_tensor` with every one of the values in each of the model's search samples, as float32 in plain layout, in
// this thread; with constants once. Values of other types are left out. Memory: one sample's activations.
void observe_tensors(CalibratedModel& model, const std::set<ValueId>& values,
                     const std::function<void(ValueId value, const Tensor& tensor)>& on_tensor);

// The axis of a tensor of so many dimensions whose entries are called channels: of what a Conv and its like compute,
// axis 1; of what a MatMul multiplies, the one that it sums over. `reader` reads the tensor as its input `input`. -1:
// there is none.
int channel_axis(const Graph& graph, const Node& reader, int input, int rank);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_OBSERVE_TENSORS_H_
