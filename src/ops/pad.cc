// Pad: constant, reflect, edge and wrap, on any axes; negative pads crop. In any layout.
#include <algorithm>
#include <cstring>

#include "base/parallel_for.h"
#include "loops/element.h"
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

// Marks a position of the output that takes the constant.
constexpr int64_t kFill = -1;

enum class Mode { kConstant, kReflect, kEdge, kWrap };

Mode parse_mode(const std::string& mode) {
  if (mode == "constant") return Mode::kConstant;
  if (mode == "reflect") return Mode::kReflect;
  if (mode == "edge") return Mode::kEdge;
  if (mode == "wrap") return Mode::kWrap;
  throw_error(ErrorCode::kInvalidModel, "mode '{}' is none of constant, reflect, edge, wrap", mode);
}

// i modulo n, in [0, n).
int64_t floor_mod(int64_t i, int64_t n) { return (i % n + n) % n; }

// The position in a dimension of `n` that position i (possibly outside) takes its value from.
int64_t source(Mode mode, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case Mode::kConstant: return kFill;
    case Mode::kEdge: return std::clamp<int64_t>(i, 0, n - 1);
    case Mode::kWrap: return floor_mod(i, n);
    case Mode::kReflect: break;
  }
  if (n == 1) return 0;
  const int64_t k = floor_mod(i, 2 * (n - 1));
  return std::min(k, 2 * (n - 1) - k);
}

// What is added before and after one axis.
struct Pads {
  int64_t begin = 0, end = 0;
};

// One axis, outermost in memory first: for each position of the output, the position of the input or kFill.
// What negative pads crop is gone before the rest is reflected, repeated or wrapped.
struct Axis {
  IntList sources;
  int64_t stride = 1;  // of the input, in elements
};

Axis pad_axis(Mode mode, int64_t dim, const Pads& pads, int64_t stride, Allocator* allocator) {
  const auto [begin, end] = pads;
  const int64_t low = std::max<int64_t>(0, -begin), high = std::max(low, dim - std::max<int64_t>(0, -end));
  if (mode != Mode::kConstant && high == low) {
    throw_error(ErrorCode::kInvalidArgument, "an empty dimension cannot be padded with its own elements");
  }
  Axis axis{IntList(static_cast<size_t>(dim + begin + end), allocator), stride};
  for (size_t o = 0; o < axis.sources.size(); ++o) {
    const int64_t from = source(mode, static_cast<int64_t>(o) - begin - low, high - low);
    axis.sources[o] = from == kFill ? kFill : from + low;
  }
  return axis;
}

// One row of the output: `run` elements for every position of the innermost padded axis.
template <typename T>
void pad_row(const Axis& axis, int64_t run, const T* in, T fill, T* out) {
  const auto n = static_cast<int64_t>(axis.sources.size());
  for (int64_t i = 0; i < n;) {
    const int64_t from = axis.sources[static_cast<size_t>(i)];
    int64_t j = i + 1;  // [i, j) is filled, or a run of neighbours
    while (j < n && axis.sources[static_cast<size_t>(j)] == (from == kFill ? kFill : from + (j - i))) ++j;
    if (from == kFill) {
      std::fill_n(out + i * run, (j - i) * run, fill);
    } else {
      std::memcpy(out + i * run, in + from * run, static_cast<size_t>((j - i) * run) * sizeof(T));
    }
    i = j;
  }
}

// The axes but the innermost ones that are not padded, which become the `run` of contiguous elements.
struct Padding {
  std::vector<Axis> axes;
  int64_t run = 1;
};

template <typename T>
void pad_all(const Padding& padding, const T* in, T fill, T* out) {
  const Axis& inner = padding.axes.back();
  const int64_t row = static_cast<int64_t>(inner.sources.size()) * padding.run;
  int64_t rows = 1;
  for (size_t d = 0; d + 1 < padding.axes.size(); ++d) rows *= static_cast<int64_t>(padding.axes[d].sources.size());
  parallel_for(rows, std::max<int64_t>(1, (1 << 15) / std::max<int64_t>(row, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r, offset = 0;
      bool filled = false;
      for (size_t d = padding.axes.size() - 1; d-- > 0;) {
        const Axis& axis = padding.axes[d];
        const auto n = static_cast<int64_t>(axis.sources.size());
        const int64_t from = axis.sources[static_cast<size_t>(rest % n)];
        rest /= n;
        filled = filled || from == kFill;
        offset += from * axis.stride;
      }
      if (filled) {
        std::fill_n(out + r * row, row, fill);
      } else {
        pad_row(inner, padding.run, in + offset, fill, out + r * row);
      }
    }
  });
}

// Those of every axis, from the `pads` and `axes` inputs.
std::vector<Pads> read_pads(const OpCall& call) {
  const int64_t rank = call.input(0).rank();
  const std::vector<int64_t> pads = read_ints(call.input(1), "pads");
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  if (call.has_input(3)) axes = normalize_axes(read_ints(call.input(3), "axes"), rank);
  if (pads.size() != 2 * axes.size()) {
    throw_error(ErrorCode::kInvalidModel, "pads has {} values, but {} axes need {}", pads.size(), axes.size(),
                2 * axes.size());
  }
  constexpr int64_t kLargest = int64_t{1} << 40;
  for (int64_t pad : pads) {
    if (pad < -kLargest || pad > kLargest) throw_error(ErrorCode::kInvalidArgument, "a pad of {} is too large", pad);
  }
  std::vector<Pads> result(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); ++i) result[static_cast<size_t>(axes[i])] = {pads[i], pads[i + axes.size()]};
  return result;
}

Shape padded_shape(const Tensor& x, const std::vector<Pads>& pads) {
  Shape shape = x.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += pads[d].begin + pads[d].end;
    if (shape[d] < 0) {
      throw_error(ErrorCode::kInvalidArgument, "pads of {} and {} crop more than there is of shape {} at axis {}",
                  pads[d].begin, pads[d].end, to_string(x.shape()), d);
    }
  }
  return shape;
}

Padding make_padding(Mode mode, const Tensor& x, const std::vector<Pads>& pads, Allocator* allocator) {
  std::vector<size_t> order(pads.size());  // axes as they lie in memory
  for (size_t d = 0; d < order.size(); ++d) order[d] = d;
  if (x.layout() == Layout::kChannelsLast) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  const std::vector<int64_t> strides = element_strides(x.shape(), x.layout());
  Padding padding;
  while (order.size() > 1 && pads[order.back()].begin == 0 && pads[order.back()].end == 0) {
    padding.run *= x.shape()[order.back()];
    order.pop_back();
  }
  for (size_t d : order) {
    padding.axes.push_back(pad_axis(mode, x.shape()[d], pads[d], strides[d], allocator));
  }
  return padding;
}

void pad(OpCall& call) {
  const Tensor& x = call.input(0);
  const Mode mode = parse_mode(call.attributes().get_string("mode", "constant"));
  const std::vector<Pads> pads = read_pads(call);
  const Tensor* value = mode == Mode::kConstant && call.has_input(2) ? &call.input(2) : nullptr;
  if (value != nullptr && (value->dtype() != x.dtype() || value->size() != 1)) {
    throw_error(ErrorCode::kInvalidModel, "the constant must be one {}, but it is {} of shape {}", to_string(x.dtype()),
                to_string(value->dtype()), to_string(value->shape()));
  }
  if (x.rank() == 0) return call.set_output(0, x);
  Tensor& y = call.output(0, x.dtype(), padded_shape(x, pads), x.layout());
  if (y.size() == 0) return;
  const Padding padding = make_padding(mode, x, pads, call.allocator());
  with_word(byte_size(x.dtype()), [&]<typename T>() {
    pad_all(padding, words<T>(x), value != nullptr ? *words<T>(*value) : T{0}, mutable_words<T>(y));
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "Pad", .run = pad, .any_layout = true},
};

}  // namespace

std::span<const OpDef> pad_ops() { return kOps; }

}  // namespace twofold
