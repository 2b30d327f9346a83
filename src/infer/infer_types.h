// What can be said about a graph's tensors before it runs.
//
// Twofold finds shapes by running. A pass, though, may only rewrite what holds for every input, and often needs a rank
// or a dimension to prove that. This is that proof: best effort, and never a guess. Only the declared types of the
// graph's inputs and the constants are trusted; what a file declares of the tensors between them is not looked at.
#ifndef TWOFOLD_SRC_INFER_INFER_TYPES_H_
#define TWOFOLD_SRC_INFER_INFER_TYPES_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace twofold {

inline constexpr int64_t kUnknownDim = std::numeric_limits<int64_t>::min();

struct InferredType {
  DType dtype = DType::kUndefined;            // kUndefined: unknown
  std::optional<std::vector<int64_t>> shape;  // absent: unknown rank; kUnknownDim: unknown dimension
  // Of a short 1-D or scalar integer tensor: its elements, kUnknownDim where one is unknown. Carries dimensions from
  // Shape through Slice, Gather and Concat to Reshape.
  std::optional<std::vector<int64_t>> elements;

  // -1 where unknown.
  int rank() const { return shape ? static_cast<int>(shape->size()) : -1; }
  // True if every dimension is known.
  bool is_static() const;
};

// One entry per value of the graph, by ValueId. Linear in the size of the graph.
std::vector<InferredType> infer_types(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_INFER_INFER_TYPES_H_
