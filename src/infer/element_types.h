// The element types of a graph's tensors, before it runs. The one place that infers them.
#ifndef TWOFOLD_SRC_INFER_ELEMENT_TYPES_H_
#define TWOFOLD_SRC_INFER_ELEMENT_TYPES_H_

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// What a file declares that is believed.
enum class Declarations : uint8_t {
  kInputs,  // the types of the graph's inputs: all that a rewrite may build on
  kAll,     // those of inner tensors too, of which exporters write most: all that a plan is made for
};

// Per ValueId; DType::kUndefined where it cannot be told: of what an If gives, say, and of operators of other domains.
// Constants have the types that they have. Linear in the size of the graph.
std::vector<DType> infer_element_types(const Graph& graph, Declarations believed);

// True for float16, bfloat16, float32 and float64.
bool is_float(DType dtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_INFER_ELEMENT_TYPES_H_
