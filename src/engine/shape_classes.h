// Which tensors of a network are sure to have the same batch and spatial size, though nobody knows what it is.
#ifndef TWOFOLD_SRC_ENGINE_SHAPE_CLASSES_H_
#define TWOFOLD_SRC_ENGINE_SHAPE_CLASSES_H_

#include <vector>

#include "graph/graph.h"
#include "infer/infer_types.h"

namespace twofold {

// One number per ValueId. Two values with the same number have the same rank and the same dimensions but for dimension
// 1, the channels; the proof follows activations, Conv (whose size depends on stride and padding only) and Adds.
std::vector<int> shape_classes(const Graph& graph, const std::vector<InferredType>& types);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_SHAPE_CLASSES_H_
