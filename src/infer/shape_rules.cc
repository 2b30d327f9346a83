#include "infer/shape_rules.h"

#include <algorithm>

namespace twofold {

namespace {

int64_t broadcast_dim(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  // One of them is not 1, or unknown and then 1 or the same.
  return a == kUnknownDim ? b : b == kUnknownDim ? a : kUnknownDim;
}

}  // namespace

const InferredType& Inference::input(int i) const {
  static const InferredType unknown;
  const ValueId id = node.input(i);
  return id == kNone ? unknown : types[static_cast<size_t>(id)];
}

std::optional<Dims> known_elements(const InferredType& type) {
  if (!type.elements || std::count(type.elements->begin(), type.elements->end(), kUnknownDim) > 0) return std::nullopt;
  return type.elements;
}

int normalized_axis(int64_t axis, int rank) {
  if (axis < 0) axis += rank;
  return axis >= 0 && axis < rank ? static_cast<int>(axis) : -1;
}

std::optional<Dims> broadcast_dims(const std::optional<Dims>& a, const std::optional<Dims>& b) {
  if (!a || !b) return std::nullopt;
  const Dims& longer = a->size() >= b->size() ? *a : *b;
  const Dims& shorter = a->size() >= b->size() ? *b : *a;
  Dims result = longer;
  const size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) result[offset + i] = broadcast_dim(longer[offset + i], shorter[i]);
  return result;
}

}  // namespace twofold
