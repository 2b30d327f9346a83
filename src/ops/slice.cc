// Slice and Split, in any layout.
#include <algorithm>

#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

// Which positions of one axis are taken: start, start + step, ... `count` of them.
struct Extent {
  int64_t start, step, count;
};

// Writes the box that `extents` (one per axis) cuts out of `x` to output `i`, in the layout of `x`.
void write_box(OpCall& call, int i, const Tensor& x, const std::vector<Extent>& extents) {
  Shape shape(extents.size());
  for (size_t d = 0; d < shape.size(); ++d) shape[d] = extents[d].count;
  if (shape == x.shape() && std::ranges::all_of(extents, [](const Extent& e) { return e.step == 1; })) {
    return call.set_output(i, x);
  }
  const std::vector<int64_t> in = element_strides(x.shape(), x.layout());
  const std::vector<int64_t> out = element_strides(shape, x.layout());
  std::vector<CopyDim> dims(shape.size());
  int64_t offset = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    dims[d] = {shape[d], in[d] * extents[d].step, out[d]};
    offset += extents[d].start * in[d];
  }
  Tensor& y = call.output(i, x.dtype(), std::move(shape), x.layout());
  if (y.size() == 0) return;
  const auto element = static_cast<int64_t>(byte_size(x.dtype()));
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes() + offset * element, y.mutable_bytes());
}

std::vector<Extent> whole(const Tensor& x) {
  std::vector<Extent> extents;
  for (int64_t dim : x.shape()) extents.push_back({0, 1, dim});
  return extents;
}

// ONNX's rules: negative positions count from the end, and whatever lies outside is clamped.
Extent slice_extent(int64_t start, int64_t end, int64_t step, int64_t dim) {
  if (step == 0) throw_error(ErrorCode::kInvalidModel, "a step must not be 0");
  step = std::clamp(step, -dim - 1, dim + 1);
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
    return {start, step, std::max<int64_t>(0, (end - start + step - 1) / step)};
  }
  start = std::clamp<int64_t>(start, 0, std::max<int64_t>(dim - 1, 0));
  end = std::clamp<int64_t>(end, -1, dim - 1);
  return {start, step, std::max<int64_t>(0, (end - start + step + 1) / step)};
}

void slice(OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> starts = read_ints(call.input(1), "starts");
  const std::vector<int64_t> ends = read_ints(call.input(2), "ends");
  std::vector<int64_t> axes(starts.size());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  if (call.has_input(3)) axes = read_ints(call.input(3), "axes");
  std::vector<int64_t> steps(starts.size(), 1);
  if (call.has_input(4)) steps = read_ints(call.input(4), "steps");
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    throw_error(ErrorCode::kInvalidModel, "starts, ends, axes and steps have {}, {}, {} and {} values", starts.size(),
                ends.size(), axes.size(), steps.size());
  }
  axes = normalize_axes(std::move(axes), x.rank());
  std::vector<Extent> extents = whole(x);
  for (size_t i = 0; i < axes.size(); ++i) {
    Extent& extent = extents[static_cast<size_t>(axes[i])];
    extent = slice_extent(starts[i], ends[i], steps[i], extent.count);
  }
  write_box(call, 0, x, extents);
}

// The length of each piece: the `split` input, or equal pieces of which only the last may be smaller.
std::vector<int64_t> piece_lengths(const OpCall& call, int64_t dim) {
  const auto pieces = static_cast<int64_t>(call.num_outputs());
  if (call.has_input(1)) {
    std::vector<int64_t> lengths = read_ints(call.input(1), "split");
    int64_t left = dim;
    for (int64_t length : lengths) left = length < 0 || length > left ? -1 : left - length;
    if (left != 0 || static_cast<int64_t>(lengths.size()) != pieces) {
      throw_error(ErrorCode::kInvalidModel, "split {} does not divide a dimension of {} among {} outputs",
                  to_string(lengths), dim, pieces);
    }
    return lengths;
  }
  const int64_t asked = call.attributes().get_int("num_outputs", pieces);
  if (asked != pieces) {
    throw_error(ErrorCode::kInvalidModel, "num_outputs is {}, but the node has {} outputs", asked, pieces);
  }
  const int64_t length = (dim + pieces - 1) / pieces;
  std::vector<int64_t> lengths(static_cast<size_t>(pieces), length);
  lengths.back() = dim - length * (pieces - 1);
  if (lengths.back() < 0) {
    throw_error(ErrorCode::kInvalidModel, "a dimension of {} cannot be split into {} pieces of {}", dim, pieces,
                length);
  }
  return lengths;
}

void split(OpCall& call) {
  const Tensor& x = call.input(0);
  const auto axis = static_cast<size_t>(normalize_axis(call.attributes().get_int("axis", 0), x.rank()));
  std::vector<Extent> extents = whole(x);
  int64_t start = 0;
  const std::vector<int64_t> lengths = piece_lengths(call, x.shape()[axis]);
  for (size_t i = 0; i < lengths.size(); ++i) {
    extents[axis] = {start, 1, lengths[i]};
    if (call.wants_output(static_cast<int>(i))) write_box(call, static_cast<int>(i), x, extents);
    start += lengths[i];
  }
}

constexpr OpDef kOps[] = {
    {.op_type = "Slice", .run = slice, .any_layout = true},
    {.op_type = "Split", .run = split, .any_layout = true},
};

}  // namespace

std::span<const OpDef> slice_ops() { return kOps; }

}  // namespace twofold
