// GridSample and AffineGrid, for images and volumes.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel_for.h"
#include "numeric/quantize.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int kMaxAxes = 3, kMaxTaps = 4;

enum class Mode : uint8_t { kNearest, kLinear, kCubic };
enum class Padding : uint8_t { kZeros, kBorder, kReflection };

struct Rule {
  Mode mode;
  Padding padding;
  bool align_corners;
};

Rule read_rule(const Attributes& attributes) {
  Rule rule{Mode::kLinear, Padding::kZeros, attributes.get_int("align_corners", 0) != 0};
  const std::string mode = attributes.get_string("mode", "linear");
  const std::string padding = attributes.get_string("padding_mode", "zeros");
  if (mode == "nearest") {
    rule.mode = Mode::kNearest;
  } else if (mode == "cubic" || mode == "bicubic") {
    rule.mode = Mode::kCubic;
  } else if (mode != "linear" && mode != "bilinear") {
    throw_error(ErrorCode::kInvalidModel, "mode '{}' is none of nearest, linear, cubic", mode);
  }
  if (padding == "border") {
    rule.padding = Padding::kBorder;
  } else if (padding == "reflection") {
    rule.padding = Padding::kReflection;
  } else if (padding != "zeros") {
    throw_error(ErrorCode::kInvalidModel, "padding_mode '{}' is none of zeros, border, reflection", padding);
  }
  return rule;
}

// x mirrored at both ends of [low, high] until it is inside.
float reflect(float x, float low, float high) {
  const float span = high - low;
  if (!(span > 0)) return low;
  const float beyond = x < low ? low - x : x - high;
  if (!(beyond > 0)) return x;
  const float times = std::floor(beyond / span);
  const float rest = beyond - times * span;
  const bool even = std::fmod(times, 2.0F) == 0;
  return (x < low) == even ? low + rest : high - rest;
}

// Along one axis: which elements contribute, and how much; index -1 stands for a zero outside.
struct Taps {
  int count = 1;
  std::array<int64_t, kMaxTaps> index;
  std::array<float, kMaxTaps> weight;
};

int64_t pad_index(const Rule& rule, float i, int64_t size) {
  const auto last = static_cast<float>(size - 1);
  if (i < 0 || i > last) {
    if (rule.padding == Padding::kZeros) return -1;
    if (rule.padding == Padding::kBorder) return i < 0 ? 0 : size - 1;
    i = rule.align_corners ? reflect(i, 0, last) : reflect(i, -0.5F, last + 0.5F);
  }
  return std::clamp<int64_t>(static_cast<int64_t>(i), 0, size - 1);
}

// Weights of Keys' cubic convolution with a = -0.75 at distances 1 + f, f, 1 - f and 2 - f.
std::array<float, 4> cubic_weights(float f) {
  constexpr float kA = -0.75F;
  const auto near = [](float x) { return ((kA + 2.0F) * x - (kA + 3.0F)) * x * x + 1.0F; };
  const auto far = [](float x) { return ((kA * x - 5.0F * kA) * x + 8.0F * kA) * x - 4.0F * kA; };
  return {far(1.0F + f), near(f), near(1.0F - f), far(2.0F - f)};
}

// `x` is a position in [-1, 1] as the grid has it.
Taps make_taps(const Rule& rule, float x, int64_t size) {
  const auto n = static_cast<float>(size);
  const float low = rule.align_corners ? 0.0F : -0.5F, high = rule.align_corners ? n - 1.0F : n - 0.5F;
  if (!std::isfinite(x)) x = -2.0F;
  x = rule.align_corners ? (x + 1.0F) / 2.0F * (n - 1.0F) : ((x + 1.0F) * n - 1.0F) / 2.0F;
  // Further out nothing changes but the precision of the reflection.
  x = std::clamp(x, -1e6F - 4.0F * n, 1e6F + 4.0F * n);
  if (rule.mode == Mode::kNearest) x = round_half_even(x);
  if (x < low || x > high) {
    if (rule.padding == Padding::kBorder) x = std::clamp(x, 0.0F, n - 1.0F);
    if (rule.padding == Padding::kReflection) x = reflect(x, low, high);
  }
  if (rule.mode == Mode::kNearest) return {1, {pad_index(rule, x, size)}, {1.0F}};
  const float floor = std::floor(x);
  const float f = x - floor;
  if (rule.mode == Mode::kLinear) {
    return {2, {pad_index(rule, floor, size), pad_index(rule, floor + 1.0F, size)}, {1.0F - f, f}};
  }
  const std::array<float, 4> weights = cubic_weights(f);
  Taps taps{4, {}, {weights[0], weights[1], weights[2], weights[3]}};
  for (int t = 0; t < 4; ++t)
    taps.index[static_cast<size_t>(t)] = pad_index(rule, floor + static_cast<float>(t - 1), size);
  return taps;
}

// Σ over the box of taps of the product of their weights times the element, outermost axis first.
template <typename T>
T sample(const std::array<Taps, kMaxAxes>& taps, const std::array<int64_t, kMaxAxes>& strides, const T* plane) {
  T sum = 0;
  for (int a = 0; a < taps[0].count; ++a) {
    const auto i = static_cast<size_t>(a);
    for (int b = 0; b < taps[1].count; ++b) {
      const auto j = static_cast<size_t>(b);
      for (int c = 0; c < taps[2].count; ++c) {
        const auto k = static_cast<size_t>(c);
        if (taps[0].index[i] < 0 || taps[1].index[j] < 0 || taps[2].index[k] < 0) continue;
        const int64_t at =
            taps[0].index[i] * strides[0] + taps[1].index[j] * strides[1] + taps[2].index[k] * strides[2];
        sum += static_cast<T>(taps[0].weight[i] * taps[1].weight[j] * taps[2].weight[k]) * plane[at];
      }
    }
  }
  return sum;
}

template <typename T>
void sample_all(const Rule& rule, const Tensor& x, const Tensor& grid, Tensor& y) {
  const int axes = x.rank() - 2;
  const int64_t channels = x.dim(1), in = x.size() / (x.dim(0) * channels), points = grid.size() / (grid.dim(0) * axes);
  std::array<int64_t, kMaxAxes> sizes = {1, 1, 1}, strides = {0, 0, 0};
  for (int d = 0; d < axes; ++d) sizes[static_cast<size_t>(kMaxAxes - axes + d)] = x.dim(2 + d);
  strides = {sizes[1] * sizes[2], sizes[2], 1};
  const T* from = x.data<T>().data();
  const T* positions = grid.data<T>().data();
  T* to = y.mutable_data<T>().data();
  parallel_for(x.dim(0) * points, std::max<int64_t>(1, 4096 / channels), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t n = p / points;
      std::array<Taps, kMaxAxes> taps;
      for (Taps& axis : taps) axis = {1, {0}, {1.0F}};
      // The grid names the innermost axis first.
      for (int d = 0; d < axes; ++d) {
        const auto axis = static_cast<size_t>(kMaxAxes - 1 - d);
        taps[axis] = make_taps(rule, static_cast<float>(positions[p * axes + d]), sizes[axis]);
      }
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t plane = n * channels + c;
        to[plane * points + p % points] = sample(taps, strides, from + plane * in);
      }
    }
  });
}

void grid_sample(OpCall& call) {
  const Tensor& x = call.input(0);
  const Tensor grid = cast(call.input(1), x.dtype());
  const Rule rule = read_rule(call.attributes());
  if ((x.rank() != 4 && x.rank() != 5) || grid.rank() != x.rank() || grid.dim(0) != x.dim(0) ||
      grid.shape().back() != x.rank() - 2) {
    throw_error(ErrorCode::kInvalidModel, "an input of shape {} and a grid of shape {} do not fit",
                to_string(x.shape()), to_string(grid.shape()));
  }
  Shape shape = {x.dim(0), x.dim(1)};
  shape.insert(shape.end(), grid.shape().begin() + 1, grid.shape().end() - 1);
  Tensor& y = call.output(0, x.dtype(), std::move(shape));
  if (y.size() == 0) return;
  if (x.size() == 0) throw_error(ErrorCode::kInvalidArgument, "an empty input cannot be sampled");
  if (x.dtype() == DType::kFloat64) return sample_all<double>(rule, x, grid, y);
  if (x.dtype() == DType::kFloat32) return sample_all<float>(rule, x, grid, y);
  throw_error(ErrorCode::kUnsupported, "GridSample of {} is not supported", to_string(x.dtype()));
}

// The center of element i of n in [-1, 1]; with align_corners the first and last centers are the ends.
float center(int64_t i, int64_t n, bool align_corners) {
  if (!align_corners) return static_cast<float>(2 * i + 1) / static_cast<float>(n) - 1.0F;
  return n == 1 ? 0.0F : static_cast<float>(2 * i) / static_cast<float>(n - 1) - 1.0F;
}

void affine_grid(OpCall& call) {
  const Tensor theta = cast(call.input(0), DType::kFloat32);
  const std::vector<int64_t> size = read_ints(call.input(1), "size");
  const bool align_corners = call.attributes().get_int("align_corners", 0) != 0;
  const auto axes = static_cast<int64_t>(size.size()) - 2;
  if ((axes != 2 && axes != 3) || theta.shape() != Shape{size[0], axes, axes + 1}) {
    throw_error(ErrorCode::kInvalidModel, "theta of shape {} does not fit size {}", to_string(theta.shape()),
                to_string(size));
  }
  Shape shape = {size[0]};
  shape.insert(shape.end(), size.begin() + 2, size.end());
  const int64_t points = num_elements({size.begin() + 2, size.end()});
  shape.push_back(axes);
  Tensor out(DType::kFloat32, std::move(shape));
  const float* matrix = theta.data<float>().data();
  float* to = out.mutable_data<float>().data();
  parallel_for(size[0] * points, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      float position[kMaxAxes];  // innermost axis first
      int64_t rest = p % points;
      for (int64_t d = 0; d < axes; ++d) {
        const int64_t n = size[static_cast<size_t>(axes + 1 - d)];
        position[d] = center(rest % n, n, align_corners);
        rest /= n;
      }
      for (int64_t row = 0; row < axes; ++row) {
        const float* m = matrix + (p / points * axes + row) * (axes + 1);
        float sum = m[axes];
        for (int64_t d = 0; d < axes; ++d) sum += m[d] * position[d];
        to[p * axes + row] = sum;
      }
    }
  });
  call.set_output(0, cast(out, call.input(0).dtype()));
}

constexpr OpDef kOps[] = {
    {.op_type = "GridSample", .run = with_16bit_floats<grid_sample>},
    {.op_type = "AffineGrid", .run = affine_grid},
};

}  // namespace

std::span<const OpDef> grid_sample_ops() { return kOps; }

}  // namespace twofold
