#include "loops/resize_taps.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace twofold {

CoordinateMode parse_coordinate_mode(const std::string& word) {
  if (word == "half_pixel") return CoordinateMode::kHalfPixel;
  if (word == "half_pixel_symmetric") return CoordinateMode::kHalfPixelSymmetric;
  if (word == "pytorch_half_pixel") return CoordinateMode::kPytorchHalfPixel;
  if (word == "align_corners") return CoordinateMode::kAlignCorners;
  if (word == "asymmetric") return CoordinateMode::kAsymmetric;
  if (word == "tf_crop_and_resize") return CoordinateMode::kTfCropAndResize;
  throw_error(ErrorCode::kInvalidModel, "coordinate_transformation_mode '{}' does not exist", word);
}

NearestMode parse_nearest_mode(const std::string& word) {
  if (word == "round_prefer_floor") return NearestMode::kRoundPreferFloor;
  if (word == "round_prefer_ceil") return NearestMode::kRoundPreferCeil;
  if (word == "floor") return NearestMode::kFloor;
  if (word == "ceil") return NearestMode::kCeil;
  throw_error(ErrorCode::kInvalidModel, "nearest_mode '{}' does not exist", word);
}

Interpolation parse_interpolation(const std::string& word) {
  if (word == "nearest") return Interpolation::kNearest;
  if (word == "linear") return Interpolation::kLinear;
  if (word == "cubic") return Interpolation::kCubic;
  throw_error(ErrorCode::kInvalidModel, "mode '{}' is none of nearest, linear, cubic", word);
}

namespace {

// The coordinate in the input that position `i` of the output stands for.
template <typename T>
T source_coordinate(CoordinateMode mode, const ResizeAxis& axis, T scale, T length, int64_t i) {
  const auto x = static_cast<T>(i);
  const auto last = static_cast<T>(axis.in - 1);
  const T half = 0.5F, one = 1;
  switch (mode) {
    case CoordinateMode::kHalfPixel: return (x + half) / scale - half;
    case CoordinateMode::kPytorchHalfPixel: return length == 1 ? -half : (x + half) / scale - half;
    case CoordinateMode::kAsymmetric: return x / scale;
    case CoordinateMode::kAlignCorners: return length == 1 ? T{0} : x * last / (length - one);
    case CoordinateMode::kHalfPixelSymmetric: {
      const T adjustment = static_cast<T>(axis.out) / length;
      const T offset = static_cast<T>(axis.in) / T{2} * (one - adjustment);
      return offset + (x + half) / scale - half;
    }
    case CoordinateMode::kTfCropAndResize: break;
  }
  const T extent = static_cast<T>(axis.roi_end - axis.roi_begin) * last;
  return (length == 1 ? extent / T{2} : x * extent / (length - one)) + static_cast<T>(axis.roi_begin) * last;
}

// In float32 on purpose: 1 / 0.33333334F is 3 there, as the author of a scale of 1/3 means it, but below 3 in double.
float coordinate(const ResizeRule& rule, const ResizeAxis& axis, int64_t i) {
  return source_coordinate(rule.coordinates, axis, axis.scale, axis.length, i);
}

// The nearest element, which of two equally near ones the mode says. 19 * 7 / 38 is such a tie, but 3.5000002 in
// float32: so coordinates are double here, and differ from what they stand for by what the scale was rounded by.
int64_t nearest_element(const ResizeRule& rule, const ResizeAxis& axis, int64_t i) {
  const double scale = axis.by_size ? static_cast<double>(axis.out) / static_cast<double>(axis.in) : axis.scale;
  const double length = axis.by_size ? static_cast<double>(axis.out) : axis.length;
  const double x = source_coordinate(rule.coordinates, axis, scale, length, i);
  if (!(std::fabs(x) < 0x1p53)) return 0;
  const double rounding = std::max(1.0, std::fabs(x)) * (axis.by_size ? 0x1p-50 : 0x1p-21);
  const double floor = std::floor(x), beyond_half = x - floor - 0.5;
  const bool up = std::fabs(beyond_half) <= rounding ? rule.nearest == NearestMode::kRoundPreferCeil : beyond_half > 0;
  return static_cast<int64_t>(floor) + (up ? 1 : 0);
}

// floor(x) and x - floor(x), with x cut to where every tap of a position falls on the same edge anyway.
struct Position {
  int64_t floor;
  float fraction;
};

Position split(float x, int64_t in) {
  const auto limit = static_cast<float>(in);
  x = std::isfinite(x) ? std::clamp(x, -2.0F * limit - 4.0F, 3.0F * limit + 4.0F) : 0.0F;
  const float floor = std::floor(x);
  return {static_cast<int64_t>(floor), x - floor};
}

int64_t nearest_index(const ResizeRule& rule, const ResizeAxis& axis, int64_t i, const Position& at) {
  switch (rule.nearest) {
    case NearestMode::kRoundPreferFloor:
    case NearestMode::kRoundPreferCeil: return nearest_element(rule, axis, i);
    case NearestMode::kCeil: return at.floor + (at.fraction > 0 ? 1 : 0);
    case NearestMode::kFloor: break;
  }
  return at.floor;
}

// The weight of an element at distance |x|. Keys, "Cubic convolution interpolation for digital image processing",
// IEEE TASSP 29 (1981), equation 15 with a free a.
float kernel(Interpolation interpolation, float a, float x) {
  x = std::fabs(x);
  if (interpolation == Interpolation::kLinear) return std::max(0.0F, 1.0F - x);
  if (x <= 1) return ((a + 2.0F) * x - (a + 3.0F)) * x * x + 1.0F;
  if (x < 2) return ((a * x - 5.0F * a) * x + 8.0F * a) * x - 4.0F * a;
  return 0.0F;
}

// The weights of one position, whose taps start `first` elements from the floor of its coordinate.
void interpolate(const ResizeRule& rule, const Position& at, int64_t first, float shrink, bool normalize, int64_t i,
                 ResizeTaps& taps) {
  float sum = 0;
  for (int64_t t = 0; t < taps.count; ++t) {
    const int64_t index = at.floor + first + t;
    const auto k = static_cast<size_t>(t * taps.out + i);
    const bool skipped = rule.exclude_outside && (index < 0 || index >= taps.in);
    const float distance = (static_cast<float>(first + t) - at.fraction) * shrink;
    taps.weight[k] = skipped ? 0.0F : kernel(rule.interpolation, rule.cubic_a, distance);
    taps.index[k] = static_cast<int32_t>(std::clamp<int64_t>(index, 0, taps.in - 1));
    sum += taps.weight[k];
  }
  if (!normalize || sum == 0) return;
  for (int64_t t = 0; t < taps.count; ++t) taps.weight[static_cast<size_t>(t * taps.out + i)] /= sum;
}

}  // namespace

ResizeTaps make_resize_taps(const ResizeRule& rule, const ResizeAxis& axis, Allocator* allocator) {
  ResizeTaps taps{.in = axis.in, .out = axis.out, .count = 1, .index = {}, .weight = {}, .outside = {}};
  const bool nearest = rule.interpolation == Interpolation::kNearest;
  // Antialiasing widens the kernel by the factor that the axis shrinks by.
  const float shrink = rule.antialias && !nearest ? std::min(axis.scale, 1.0F) : 1.0F;
  const float reach = rule.interpolation == Interpolation::kLinear ? 1.0F : 2.0F;
  int64_t first = 0;
  if (!nearest) {
    // No tap further away than the axis is long can matter.
    const float widest = 4.0F * static_cast<float>(axis.in) + 8.0F;
    first = static_cast<int64_t>(std::floor(std::max(-reach / shrink, -widest))) + 1;
    taps.count = 2 - 2 * first;
  }
  const auto size = static_cast<size_t>(taps.count * taps.out);
  taps.index = kernels::AlignedVector<int32_t>(size, allocator);
  if (!nearest) taps.weight = kernels::AlignedVector<float>(size, allocator);
  const bool crop = rule.coordinates == CoordinateMode::kTfCropAndResize;
  if (crop) taps.outside = kernels::AlignedVector<uint8_t>(static_cast<size_t>(taps.out), allocator);
  for (int64_t i = 0; i < taps.out; ++i) {
    const float x = coordinate(rule, axis, i);
    if (crop) taps.outside[static_cast<size_t>(i)] = !(x >= 0 && x <= static_cast<float>(axis.in - 1));
    const Position at = split(x, axis.in);
    if (nearest) {
      const int64_t index = std::clamp<int64_t>(nearest_index(rule, axis, i, at), 0, axis.in - 1);
      taps.index[static_cast<size_t>(i)] = static_cast<int32_t>(index);
    } else {
      interpolate(rule, at, first, shrink, rule.exclude_outside || shrink < 1, i, taps);
    }
  }
  return taps;
}

}  // namespace twofold
