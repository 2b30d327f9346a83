#include "numeric/ec.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "numeric/quantize.h"

namespace twofold {

void ec_quantize(std::span<const float> x, float s1, std::span<int8_t> q1, std::span<int8_t> q2) {
  TWOFOLD_CHECK(x.size() == q1.size() && x.size() == q2.size());
  quantize<int8_t>(x, s1, 0, q1);
  std::vector<float> residual(x.size());
  dequantize<int8_t>(q1, s1, 0, residual);
  for (size_t i = 0; i < x.size(); ++i) residual[i] = x[i] - residual[i];
  quantize<int8_t>(residual, ec_residual_scale(s1), 0, q2);
}

void ec_join(std::span<const int8_t> q1, std::span<const int8_t> q2, std::span<int16_t> v) {
  TWOFOLD_CHECK(q1.size() == q2.size() && q1.size() == v.size());
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<int16_t>(kEcBase * q1[i] + q2[i]);
}

void ec_split(std::span<const int16_t> v, std::span<int8_t> q1, std::span<int8_t> q2) {
  TWOFOLD_CHECK(v.size() == q1.size() && v.size() == q2.size());
  std::array<float, 1024> x;
  for (size_t begin = 0; begin < v.size(); begin += x.size()) {
    const size_t count = std::min(x.size(), v.size() - begin);
    std::copy_n(v.begin() + static_cast<std::ptrdiff_t>(begin), count, x.begin());
    quantize<int8_t>(std::span(x).first(count), static_cast<float>(kEcBase), 0, q1.subspan(begin, count));
  }
  for (size_t i = 0; i < v.size(); ++i) q2[i] = static_cast<int8_t>(v[i] - kEcBase * q1[i]);
}

}  // namespace twofold
