// What infer_types knows of the shapes that operators give: a function per operator, a file per family. Those whose
// result has the shape of their inputs need none: ShapeRule in their row (traits/op_traits.h) says it.
#ifndef TWOFOLD_SRC_INFER_SHAPE_RULES_H_
#define TWOFOLD_SRC_INFER_SHAPE_RULES_H_

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "infer/infer_types.h"

namespace twofold {

using Dims = std::vector<int64_t>;

// Longer integer tensors are data, not shapes.
inline constexpr int64_t kMaxElements = 16;

// A node and what is known of its inputs.
struct Inference {
  const Node& node;
  std::vector<InferredType>& types;

  // All unknown where there is no such input.
  const InferredType& input(int i) const;
  InferredType& output(int i) const { return types[static_cast<size_t>(node.outputs[static_cast<size_t>(i)])]; }
  bool has_output(int i) const { return node.output(i) != kNone; }
  const Attributes& attributes() const { return node.attributes; }
};

// Sets what is certain of the shapes of a node's outputs, of which the first is there, and of their elements. What a
// rule throws means that nothing is.
struct ShapeFunction {
  std::string_view op_type;
  void (*infer)(const Inference&);
};

std::span<const ShapeFunction> linear_shape_rules();    // sums of products, pools, reductions
std::span<const ShapeFunction> movement_shape_rules();  // Cast besides, which hands on elements

// All of the elements, known; nullopt otherwise.
std::optional<Dims> known_elements(const InferredType& type);
// The axis counted from 0, or -1 where it is out of range.
int normalized_axis(int64_t axis, int rank);
// The shape of an element-wise result.
std::optional<Dims> broadcast_dims(const std::optional<Dims>& a, const std::optional<Dims>& b);

}  // namespace twofold

#endif  // TWOFOLD_SRC_INFER_SHAPE_RULES_H_
