// Operators that move elements, and Shape.
#include <algorithm>

#include "infer/shape_rules.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// A cast to integers hands on what is known of its elements.
void cast(const Inference& in) {
  in.output(0).shape = in.input(0).shape;
  const DType to = in.output(0).dtype;
  if (to == DType::kInt64 || to == DType::kInt32) in.output(0).elements = in.input(0).elements;
}

// The rank stays; dimensions are left open.
void same_rank(const Inference& in) {
  if (in.input(0).shape) in.output(0).shape = Dims(in.input(0).shape->size(), kUnknownDim);
}

void transpose(const Inference& in) {
  if (!in.input(0).shape) return;
  const Dims& from = *in.input(0).shape;
  Dims reversed(from.size());
  for (size_t i = 0; i < from.size(); ++i) reversed[i] = static_cast<int64_t>(from.size() - 1 - i);
  const Dims perm = in.attributes().get_ints("perm", reversed);
  if (perm.size() != from.size()) return;
  Dims shape;
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(from.size())) return;
    shape.push_back(from[static_cast<size_t>(axis)]);
  }
  in.output(0).shape = std::move(shape);
}

// What a -1 in the target of a Reshape stands for, where both sides are known.
int64_t reshape_rest(const Dims& from, const Dims& to) {
  int64_t total = 1, known = 1;
  for (int64_t dim : from) {
    if (dim == kUnknownDim || __builtin_mul_overflow(total, dim, &total)) return kUnknownDim;
  }
  for (int64_t dim : to) {
    if (dim != -1 && (dim == kUnknownDim || __builtin_mul_overflow(known, dim, &known))) return kUnknownDim;
  }
  return known > 0 && total % known == 0 ? total / known : kUnknownDim;
}

void reshape(const Inference& in) {
  const InferredType& target = in.input(1);
  if (!target.elements) {
    if (target.rank() == 1 && (*target.shape)[0] >= 0 && (*target.shape)[0] <= kMaxElements) {
      in.output(0).shape = Dims(static_cast<size_t>((*target.shape)[0]), kUnknownDim);
    }
    return;
  }
  Dims shape = *target.elements;
  const bool copies_zero = in.attributes().get_int("allowzero", 0) == 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 0 || !copies_zero) continue;
    shape[i] = in.input(0).shape && i < in.input(0).shape->size() ? (*in.input(0).shape)[i] : kUnknownDim;
  }
  const int64_t rest = in.input(0).shape ? reshape_rest(*in.input(0).shape, shape) : kUnknownDim;
  std::replace(shape.begin(), shape.end(), int64_t{-1}, rest);
  in.output(0).shape = std::move(shape);
}

void flatten(const Inference& in) { in.output(0).shape = Dims(2, kUnknownDim); }

void squeeze(const Inference& in) {
  const auto axes = known_elements(in.input(1));
  if (in.input(0).elements) in.output(0).elements = in.input(0).elements;
  if (!in.input(0).shape || !axes) return;
  Dims shape = *in.input(0).shape;
  std::vector<bool> drop(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized_axis(axis, static_cast<int>(shape.size()));
    if (at < 0) return;
    drop[static_cast<size_t>(at)] = true;
  }
  Dims kept;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) kept.push_back(shape[i]);
  }
  in.output(0).shape = std::move(kept);
}

void unsqueeze(const Inference& in) {
  const auto axes = known_elements(in.input(1));
  if (in.input(0).rank() == 0) in.output(0).elements = in.input(0).elements;
  if (!in.input(0).shape || !axes) return;
  Dims shape(in.input(0).shape->size() + axes->size(), kUnknownDim);
  std::vector<bool> added(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized_axis(axis, static_cast<int>(shape.size()));
    if (at < 0 || added[static_cast<size_t>(at)]) return;
    added[static_cast<size_t>(at)] = true;
  }
  size_t next = 0;
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = added[i] ? 1 : (*in.input(0).shape)[next++];
  in.output(0).shape = std::move(shape);
}

void concat(const Inference& in) {
  std::optional<Dims> shape = in.input(0).shape;
  std::optional<Dims> elements = in.input(0).elements;
  if (!shape) return;
  const int axis = normalized_axis(in.attributes().get_int("axis", 0), static_cast<int>(shape->size()));
  for (int i = 1; i < static_cast<int>(in.node.inputs.size()); ++i) {
    const InferredType& next = in.input(i);
    if (axis < 0 || next.rank() != static_cast<int>(shape->size())) return;
    for (int d = 0; d < next.rank(); ++d) {
      int64_t& dim = (*shape)[static_cast<size_t>(d)];
      const int64_t other = (*next.shape)[static_cast<size_t>(d)];
      if (d != axis) {
        if (dim == kUnknownDim) dim = other;
      } else if (dim == kUnknownDim || other == kUnknownDim || __builtin_add_overflow(dim, other, &dim)) {
        dim = kUnknownDim;
      }
    }
    if (elements && next.elements) {
      elements->insert(elements->end(), next.elements->begin(), next.elements->end());
    } else {
      elements.reset();
    }
  }
  if (elements && shape->size() == 1 && elements->size() <= kMaxElements) in.output(0).elements = std::move(elements);
  in.output(0).shape = std::move(shape);
}

void shape_of(const Inference& in) {
  InferredType& out = in.output(0);
  out.shape = Dims(1, kUnknownDim);
  if (!in.input(0).shape) return;
  const Dims& dims = *in.input(0).shape;
  const auto rank = static_cast<int64_t>(dims.size());
  const auto clamped = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t start = clamped(in.attributes().get_int("start", 0));
  const int64_t end = std::max(start, clamped(in.attributes().get_int("end", rank)));
  out.shape = Dims(1, end - start);
  if (end - start <= kMaxElements) out.elements = Dims(dims.begin() + start, dims.begin() + end);
}

// Slice of a 1-D tensor of elements with step 1; of all else the rank.
void slice(const Inference& in) {
  same_rank(in);
  const auto starts = known_elements(in.input(1)), ends = known_elements(in.input(2));
  const auto steps = in.node.input(4) == kNone ? Dims{1} : known_elements(in.input(4)).value_or(Dims{});
  if (!in.input(0).elements || in.input(0).rank() != 1 || !starts || !ends) return;
  if (starts->size() != 1 || ends->size() != 1 || steps != Dims{1}) return;
  const auto size = static_cast<int64_t>(in.input(0).elements->size());
  const auto clamped = [size](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
  const int64_t start = clamped((*starts)[0]);
  const int64_t end = std::max(start, clamped((*ends)[0]));
  in.output(0).elements = Dims(in.input(0).elements->begin() + start, in.input(0).elements->begin() + end);
  in.output(0).shape = Dims{end - start};
}

void gather(const Inference& in) {
  const InferredType& indices = in.input(1);
  if (!in.input(0).shape || !indices.shape) return;
  const Dims& from = *in.input(0).shape;
  const int axis = normalized_axis(in.attributes().get_int("axis", 0), static_cast<int>(from.size()));
  if (axis < 0) return;
  Dims shape(from.begin(), from.begin() + axis);
  shape.insert(shape.end(), indices.shape->begin(), indices.shape->end());
  shape.insert(shape.end(), from.begin() + axis + 1, from.end());
  in.output(0).shape = std::move(shape);
  const auto picks = known_elements(indices);
  if (!in.input(0).elements || in.input(0).rank() != 1 || !picks) return;
  Dims elements;
  for (int64_t pick : *picks) {
    const int at = normalized_axis(pick, static_cast<int>(in.input(0).elements->size()));
    if (at < 0) return;
    elements.push_back((*in.input(0).elements)[static_cast<size_t>(at)]);
  }
  in.output(0).elements = std::move(elements);
}

void split(const Inference& in) {
  for (int i = 0; i < static_cast<int>(in.node.outputs.size()); ++i) {
    if (!in.has_output(i)) continue;
    if (in.input(0).shape) in.output(i).shape = Dims(in.input(0).shape->size(), kUnknownDim);
  }
}

}  // namespace

std::span<const ShapeFunction> movement_shape_rules() {
  static constexpr ShapeFunction kRules[] = {
      {op::kCast, cast},           {op::kConcat, concat},       {op::kFlatten, flatten},  {op::kGather, gather},
      {op::kPad, same_rank},       {op::kReshape, reshape},     {op::kResize, same_rank}, {op::kShape, shape_of},
      {op::kSlice, slice},         {op::kSplit, split},         {op::kSqueeze, squeeze},  {op::kTile, same_rank},
      {op::kTranspose, transpose}, {op::kUnsqueeze, unsqueeze},
  };
  return kRules;
}

}  // namespace twofold
