#include "twofold/fake_quantize.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/parallel_for.h"
#include "numeric/fake_quantize.h"

namespace twofold {

namespace {

// Sums of rounded numbers and zero points stay exact in float32, with room to spare.
constexpr int32_t kLargest = 1 << 16;

void check_size(const char* name, size_t size, int64_t expected) {
  if (static_cast<int64_t>(size) != expected) {
    throw_error(ErrorCode::kInvalidArgument, "{} has {} elements, and not {}", name, size, expected);
  }
}

void check_scales(const FakeQuantization& how) {
  check_size("scale", how.scale.size(), how.channels);
  for (size_t c = 0; c < how.scale.size(); ++c) {
    const float scale = how.scale[c];
    if (scale > 0 && std::isfinite(scale)) continue;
    throw_error(ErrorCode::kInvalidArgument, "scale {} is {}; scales are positive, finite numbers", c, scale);
  }
}

void check_zero_points(const FakeQuantization& how) {
  if (how.zero_point.empty()) return;
  if (!how.integers) throw_error(ErrorCode::kInvalidArgument, "ec has no zero points");
  check_size("zero_point", how.zero_point.size(), how.channels);
  for (size_t c = 0; c < how.zero_point.size(); ++c) {
    const int32_t zero = how.zero_point[c];
    if (how.integers->low <= zero && zero <= how.integers->high) continue;
    throw_error(ErrorCode::kInvalidArgument, "zero point {} is {}; the integers are those from {} to {}", c, zero,
                how.integers->low, how.integers->high);
  }
}

ChannelScales checked(const FakeQuantization& how) {
  if (how.integers && (how.integers->low > 0 || how.integers->high < 0 || how.integers->low < -kLargest ||
                       how.integers->high > kLargest)) {
    throw_error(ErrorCode::kInvalidArgument, "integers from {} to {}: a range holds 0 and is within {} and {}",
                how.integers->low, how.integers->high, -kLargest, kLargest);
  }
  check_scales(how);
  check_zero_points(how);
  return ChannelScales({how.outer, how.channels, how.inner}, 1, how.scale, how.zero_point);
}

IntegerRange range_of(const FakeQuantization& how) { return {how.integers->low, how.integers->high}; }

}  // namespace

void fake_quantize(const FakeQuantization& how, std::span<const float> x, std::span<float> y, int threads) {
  const ChannelScales scales = checked(how);
  check_size("x", x.size(), scales.size());
  check_size("y", y.size(), scales.size());
  const ThreadScope scope(threads);
  if (how.integers) return fake_quantize(x, range_of(how), scales, y);
  fake_quantize_ec(x, scales, y);
}

void fake_quantize_backward(const FakeQuantization& how, std::span<const float> y_gradient, std::span<const float> x,
                            std::span<float> x_gradient, int threads) {
  const ChannelScales scales = checked(how);
  check_size("y_gradient", y_gradient.size(), scales.size());
  check_size("x", x.size(), scales.size());
  check_size("x_gradient", x_gradient.size(), scales.size());
  const ThreadScope scope(threads);
  if (how.integers) return fake_quantize_backward(y_gradient, x, range_of(how), scales, x_gradient);
  fake_quantize_ec_backward(y_gradient, x, scales, x_gradient);
}

void fake_quantize_learned_backward(const FakeQuantization& how, std::span<const float> y_gradient,
                                    std::span<const float> x, double factor, std::span<float> x_gradient,
                                    std::span<float> scale_gradient, int threads) {
  const ChannelScales scales = checked(how);
  if (!how.integers) throw_error(ErrorCode::kInvalidArgument, "scales of ec are not learned");
  check_size("y_gradient", y_gradient.size(), scales.size());
  check_size("x", x.size(), scales.size());
  check_size("x_gradient", x_gradient.size(), scales.size());
  check_size("scale_gradient", scale_gradient.size(), scales.channels);
  const ThreadScope scope(threads);
  std::vector<double> sums(scale_gradient.size());
  fake_quantize_learned_backward(y_gradient, x, range_of(how), scales, x_gradient, sums);
  for (size_t c = 0; c < sums.size(); ++c) scale_gradient[c] = static_cast<float>(factor * sums[c]);
}

}  // namespace twofold
