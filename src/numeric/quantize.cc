#include "numeric/quantize.h"

#include <limits>

#include "base/check.h"

namespace twofold {

template <typename T>
void quantize(std::span<const float> x, float scale, int32_t zero_point, std::span<T> q) {
  TWOFOLD_CHECK(x.size() == q.size() && scale > 0);
  // Clamping before the zero point is added keeps every value small enough for an exact float sum.
  const auto low = static_cast<float>(std::numeric_limits<T>::min() - zero_point);
  const auto high = static_cast<float>(std::numeric_limits<T>::max() - zero_point);
  for (size_t i = 0; i < x.size(); ++i) {
    float v = round_half_even(x[i] / scale);
    v = v == v ? v : 0.0F;
    v = v < low ? low : v;
    v = v > high ? high : v;
    q[i] = static_cast<T>(static_cast<int32_t>(v) + zero_point);
  }
}

template <typename T>
void dequantize(std::span<const T> q, float scale, int32_t zero_point, std::span<float> x) {
  TWOFOLD_CHECK(x.size() == q.size());
  for (size_t i = 0; i < q.size(); ++i) {
    // int32 differences of 8- and 16-bit types are exact; int32 wraps as ONNX leaves it open and biases have no zero
    // point.
    x[i] = static_cast<float>(static_cast<int32_t>(q[i]) - zero_point) * scale;
  }
}

template void quantize<int8_t>(std::span<const float>, float, int32_t, std::span<int8_t>);
template void quantize<uint8_t>(std::span<const float>, float, int32_t, std::span<uint8_t>);
template void quantize<int16_t>(std::span<const float>, float, int32_t, std::span<int16_t>);
template void quantize<uint16_t>(std::span<const float>, float, int32_t, std::span<uint16_t>);
template void dequantize<int8_t>(std::span<const int8_t>, float, int32_t, std::span<float>);
template void dequantize<uint8_t>(std::span<const uint8_t>, float, int32_t, std::span<float>);
template void dequantize<int16_t>(std::span<const int16_t>, float, int32_t, std::span<float>);
template void dequantize<uint16_t>(std::span<const uint16_t>, float, int32_t, std::span<float>);
template void dequantize<int32_t>(std::span<const int32_t>, float, int32_t, std::span<float>);

}  // namespace twofold
