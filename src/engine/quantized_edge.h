// Reading Q/DQ nodes: what integers an edge carries, and how they map to real numbers.
#ifndef TWOFOLD_SRC_ENGINE_QUANTIZED_EDGE_H_
#define TWOFOLD_SRC_ENGINE_QUANTIZED_EDGE_H_

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// One DequantizeLinear or QuantizeLinear with constant scale and zero point.
struct QuantizedEdge {
  ValueId integers = kNone;  // the int side
  ValueId real = kNone;      // the float side
  DType dtype = DType::kUndefined;
  int axis = -1;  // -1: one scale for all
  std::vector<float> scale;
  int32_t zero_point = 0;  // the same for all channels
};

// The edge that computes (DequantizeLinear) `real`, or nothing where it is not of the form above, where zero points
// differ between channels, or for blocked scales.
std::optional<QuantizedEdge> dequantized_edge(const Graph& graph, ValueId real);

// The edge that node `id` makes, if it is a QuantizeLinear of that form.
std::optional<QuantizedEdge> quantized_edge(const Graph& graph, NodeId id);

// What the edge makes of a float32 tensor in plain layout, and what its integers stand for.
// REQUIRES: one scale, and the type of an integer operand (numeric/integer_limits.h).
Tensor quantized(const Tensor& real, const QuantizedEdge& edge);
Tensor dequantized(const Tensor& integers, const QuantizedEdge& edge);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_QUANTIZED_EDGE_H_
