#include "numeric/qparams.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace twofold {

int32_t qmin(QType qtype) {
  TWOFOLD_CHECK(is_integer(qtype));
  if (qtype == QType::kInt8) return -128;
  return qtype == QType::kInt16 ? -32768 : -128 * 254 - 128;
}

int32_t qmax(QType qtype) {
  TWOFOLD_CHECK(is_integer(qtype));
  if (qtype == QType::kInt8) return 127;
  return qtype == QType::kInt16 ? 32767 : 127 * 254 + 127;
}

namespace {

// Steps between 0 and the threshold.
float steps(QType qtype) {
  TWOFOLD_CHECK(is_integer(qtype));
  return qtype == QType::kInt16 ? 32767.0F : 127.0F;
}

// A scale must be a normal number: 1 / scale and products of two scales are taken later.
float at_least_normal(float scale) { return std::max(scale, std::numeric_limits<float>::min()); }

// The largest scale of which `steps` steps are a finite number: the file's DequantizeLinear makes infinity of more, and
// then 0 times it NaN.
float with_finite_range(float scale, float steps) {
  scale = std::min(scale, std::numeric_limits<float>::max() / steps);
  return std::isfinite(scale * steps) ? scale : std::nextafter(scale, 0.0F);
}

}  // namespace

float symmetric_scale(float threshold, QType qtype) {
  TWOFOLD_CHECK(std::isfinite(threshold) && threshold >= 0);
  if (threshold == 0) return 1.0F;
  // The smallest integer is one step further from 0 than the largest.
  return with_finite_range(at_least_normal(threshold / steps(qtype)), steps(qtype) + 1);
}

float symmetric_threshold(float scale, QType qtype) { return scale * steps(qtype); }

QParams asymmetric_qparams(float min, float max, QType qtype) {
  TWOFOLD_CHECK(qtype == QType::kInt8 || qtype == QType::kInt16);
  TWOFOLD_CHECK(std::isfinite(min) && std::isfinite(max) && min <= max);
  min = std::min(min, 0.0F);
  max = std::max(max, 0.0F);
  QParams params{qtype, -1, {1.0F}, {0}};
  if (min == max) return params;
  const double span = static_cast<double>(qmax(qtype)) - qmin(qtype);
  params.scale[0] = at_least_normal(static_cast<float>((static_cast<double>(max) - min) / span));
  const double zero = qmin(qtype) - static_cast<double>(min) / params.scale[0];
  params.zero_point[0] = static_cast<int32_t>(
      std::clamp(std::nearbyint(zero), static_cast<double>(qmin(qtype)), static_cast<double>(qmax(qtype))));
  const int32_t furthest = std::max(qmax(qtype) - params.zero_point[0], params.zero_point[0] - qmin(qtype));
  params.scale[0] = with_finite_range(params.scale[0], static_cast<float>(furthest));
  return params;
}

}  // namespace twofold
