// What infer_types knows of each operator: a rule per operator, a file per family.
#ifndef TWOFOLD_SRC_PASSES_TYPE_RULES_H_
#define TWOFOLD_SRC_PASSES_TYPE_RULES_H_

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "passes/infer_types.h"

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

// Sets what is certain of a node's outputs, of which the first is there. What a rule throws means that nothing is.
struct TypeRule {
  std::string_view op_type;
  void (*infer)(const Inference&);
};

std::span<const TypeRule> elementwise_type_rules();
std::span<const TypeRule> linear_type_rules();  // sums of products, pools, reductions
std::span<const TypeRule> movement_type_rules();

// All of the elements, known; nullopt otherwise.
std::optional<Dims> known_elements(const InferredType& type);
// The axis counted from 0, or -1 where it is out of range.
int normalized_axis(int64_t axis, int rank);
// The shape of an element-wise result.
std::optional<Dims> broadcast_dims(const std::optional<Dims>& a, const std::optional<Dims>& b);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_TYPE_RULES_H_
