#include "numeric/quantize_tensor.h"

#include <vector>

#include "base/check.h"
#include "numeric/ec.h"
#include "numeric/fake_quantize.h"
#include "numeric/quantize_channels.h"

namespace twofold {

namespace {

void check_layout(const Tensor& tensor, const ChannelScales& scales) {
  TWOFOLD_CHECK(scales.channels == 1 || tensor.layout() == Layout::kPlain);
}

}  // namespace

void quantize(const Tensor& x, const ChannelScales& scales, Tensor& q) {
  check_layout(x, scales);
  TWOFOLD_CHECK(q.layout() == x.layout());
  const std::span<const float> in = x.data<float>();
  switch (q.dtype()) {
    case DType::kInt8: return quantize<int8_t>(in, scales, q.mutable_data<int8_t>());
    case DType::kUInt8: return quantize<uint8_t>(in, scales, q.mutable_data<uint8_t>());
    case DType::kInt16: return quantize<int16_t>(in, scales, q.mutable_data<int16_t>());
    case DType::kUInt16: return quantize<uint16_t>(in, scales, q.mutable_data<uint16_t>());
    default: TWOFOLD_CHECK(false);
  }
}

void dequantize(const Tensor& q, const ChannelScales& scales, Tensor& x) {
  check_layout(q, scales);
  TWOFOLD_CHECK(q.layout() == x.layout());
  const std::span<float> out = x.mutable_data<float>();
  switch (q.dtype()) {
    case DType::kInt8: return dequantize<int8_t>(q.data<int8_t>(), scales, out);
    case DType::kUInt8: return dequantize<uint8_t>(q.data<uint8_t>(), scales, out);
    case DType::kInt16: return dequantize<int16_t>(q.data<int16_t>(), scales, out);
    case DType::kUInt16: return dequantize<uint16_t>(q.data<uint16_t>(), scales, out);
    case DType::kInt32: return dequantize<int32_t>(q.data<int32_t>(), scales, out);
    default: TWOFOLD_CHECK(false);
  }
}

Tensor quantize(const Tensor& x, const QParams& params) {
  const ChannelScales scales(x.shape(), params);
  Tensor q(params.qtype == QType::kInt8 ? DType::kInt8 : DType::kInt16, x.shape(), x.layout());
  if (params.qtype == QType::kEc) {
    check_layout(x, scales);
    ec_quantize(x.data<float>(), scales, q.mutable_data<int16_t>());
  } else {
    quantize(x, scales, q);
  }
  return q;
}

Tensor dequantize(const Tensor& q, const QParams& params) {
  std::vector<float> scale = params.scale;
  if (params.qtype == QType::kEc) {
    for (float& s : scale) s = ec_residual_scale(s);
  }
  Tensor x(DType::kFloat32, q.shape(), q.layout());
  dequantize(q, ChannelScales(q.shape(), params.axis, scale, params.zero_point), x);
  return x;
}

Tensor fake_quantize(const Tensor& x, const QParams& params) {
  const ChannelScales scales(x.shape(), params);
  check_layout(x, scales);
  Tensor y(DType::kFloat32, x.shape(), x.layout());
  fake_quantize(x.data<float>(), params.qtype, scales, y.mutable_data<float>());
  return y;
}

EcDigits quantize_to_digits(const Tensor& x, const QParams& params) {
  TWOFOLD_CHECK(params.qtype == QType::kEc);
  const ChannelScales scales(x.shape(), params);
  check_layout(x, scales);
  EcDigits digits{Tensor(DType::kInt8, x.shape(), x.layout()), Tensor(DType::kInt8, x.shape(), x.layout())};
  ec_quantize(x.data<float>(), scales, digits.first.mutable_data<int8_t>(), digits.second.mutable_data<int8_t>());
  return digits;
}

}  // namespace twofold
