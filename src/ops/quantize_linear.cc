// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear (ONNX opset 21): per tensor, per axis and blocked.
#include <algorithm>
#include <cmath>

#include "base/parallel_for.h"
#include "loops/axis_split.h"
#include "loops/layout.h"
#include "numeric/quantize.h"
#include "numeric/quantize_channels.h"
#include "ops/families.h"
#include "ops/zero_points.h"

namespace twofold {

namespace {

// Where scales are: for all elements, for the positions of `axis`, or for every `block` of them.
struct ScaleGrid {
  int64_t axis = -1;
  int64_t block = 0;
};

// `block` may be larger than all that is there.
int64_t num_blocks(int64_t positions, int64_t block) { return positions / block + (positions % block != 0 ? 1 : 0); }

ScaleGrid scale_grid(const OpCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& scale = call.input(1);
  if (scale.size() == 1 && scale.rank() <= 1) return {};
  ScaleGrid grid{call.attributes().get_int("axis", 1), call.attributes().get_int("block_size", 0)};
  if (grid.axis < -x.rank() || grid.axis >= x.rank()) {
    throw_error(ErrorCode::kInvalidModel, "axis {} is out of range for input shape {}", grid.axis,
                to_string(x.shape()));
  }
  if (grid.axis < 0) grid.axis += x.rank();
  const int64_t positions = x.dim(static_cast<int>(grid.axis));
  bool fits = scale.rank() == 1 && scale.dim(0) == positions;
  if (grid.block > 0) {
    Shape expected = x.shape();
    expected[static_cast<size_t>(grid.axis)] = num_blocks(positions, grid.block);
    fits = scale.shape() == expected;
  }
  if (!fits) {
    throw_error(ErrorCode::kInvalidModel, "scale shape {} does not fit input shape {} at axis {}",
                to_string(scale.shape()), to_string(x.shape()), grid.axis);
  }
  return grid;
}

// Scales and zero points in the order of the scale's shape.
struct Scales {
  Tensor scale;
  std::vector<int32_t> zero_point;
};

Scales read_scales(const OpCall& call) {
  Scales result{to_layout(call.input(1), Layout::kPlain), {}};
  const std::span<const float> scale = result.scale.data<float>();
  if (call.has_input(2)) {
    const Tensor zero_point = to_layout(call.input(2), Layout::kPlain);
    if (zero_point.size() != result.scale.size()) {
      throw_error(ErrorCode::kInvalidModel, "scale shape {} and zero point shape {} differ",
                  to_string(result.scale.shape()), to_string(zero_point.shape()));
    }
    auto zeros = zero_point_values(zero_point);
    if (!zeros) {
      throw_error(ErrorCode::kUnsupported, "zero point of type {} is not supported", to_string(zero_point.dtype()));
    }
    result.zero_point = std::move(*zeros);
  }
  for (size_t i = 0; i < scale.size(); ++i) {
    if (!(scale[i] > 0) || !std::isfinite(scale[i])) {
      throw_error(ErrorCode::kInvalidModel, "scale {} at index {} is not a positive number", scale[i], i);
    }
  }
  return result;
}

// Calls body(offset, scales) for parts of x that have a scale for all elements or one per channel.
template <typename Body>
void for_each_part(const OpCall& call, const Shape& shape, const Body& body) {
  const ScaleGrid grid = scale_grid(call);
  const Scales scales = read_scales(call);
  const std::span<const float> scale = scales.scale.data<float>();
  const std::span<const int32_t> zero_point = scales.zero_point;
  if (grid.block <= 0) return body(size_t{0}, ChannelScales(shape, grid.axis, scale, zero_point));
  // A block: [positions of the axis, inner], with scales along inner.
  const AxisSplit split = split_at(shape, grid.axis);
  const int64_t blocks = num_blocks(split.axis, grid.block);
  parallel_for(split.outer * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % blocks * grid.block, rows = std::min(grid.block, split.axis - first);
      const auto start = static_cast<size_t>(i * split.inner), count = static_cast<size_t>(split.inner);
      const ChannelScales part({rows, split.inner}, 1, scale.subspan(start, count),
                               zero_point.empty() ? zero_point : zero_point.subspan(start, count));
      body(static_cast<size_t>((i / blocks * split.axis + first) * split.inner), part);
    }
  });
}

// Input 0; in plain layout where scales differ, since their grid follows the order of the shape.
Tensor data_of(const OpCall& call) {
  const bool one_scale = call.input(1).size() == 1;
  return one_scale ? call.input(0) : to_layout(call.input(0), Layout::kPlain);
}

template <typename T>
void quantize_as(OpCall& call, DType dtype) {
  const Tensor x = data_of(call);
  std::span<T> out = call.output(0, dtype, x.shape(), x.layout()).mutable_data<T>();
  const std::span<const float> in = x.data<float>();
  for_each_part(call, x.shape(), [&](size_t offset, const ChannelScales& scales) {
    const auto count = static_cast<size_t>(scales.size());
    quantize<T>(in.subspan(offset, count), scales, out.subspan(offset, count));
  });
}

void quantize_linear(OpCall& call) {
  DType dtype = DType::kUInt8;
  if (call.has_input(2)) {
    dtype = call.input(2).dtype();
  } else if (const int64_t asked = call.attributes().get_int("output_dtype", 0); asked != 0) {
    dtype = static_cast<DType>(asked);
  }
  switch (dtype) {
    case DType::kInt8: return quantize_as<int8_t>(call, dtype);
    case DType::kUInt8: return quantize_as<uint8_t>(call, dtype);
    case DType::kInt16: return quantize_as<int16_t>(call, dtype);
    case DType::kUInt16: return quantize_as<uint16_t>(call, dtype);
    default: throw_error(ErrorCode::kUnsupported, "quantizing to {} is not supported", to_string(dtype));
  }
}

template <typename T>
void dequantize_as(OpCall& call) {
  const Tensor q = data_of(call);
  if (call.has_input(2) && call.input(2).dtype() != q.dtype()) {
    throw_error(ErrorCode::kInvalidModel, "the zero point is {}, but the integers are {}",
                to_string(call.input(2).dtype()), to_string(q.dtype()));
  }
  std::span<float> out = call.output(0, DType::kFloat32, q.shape(), q.layout()).mutable_data<float>();
  const std::span<const T> in = q.data<T>();
  for_each_part(call, q.shape(), [&](size_t offset, const ChannelScales& scales) {
    const auto count = static_cast<size_t>(scales.size());
    dequantize<T>(in.subspan(offset, count), scales, out.subspan(offset, count));
  });
}

void dequantize_linear(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kInt8: return dequantize_as<int8_t>(call);
    case DType::kUInt8: return dequantize_as<uint8_t>(call);
    case DType::kInt16: return dequantize_as<int16_t>(call);
    case DType::kUInt16: return dequantize_as<uint16_t>(call);
    case DType::kInt32: return dequantize_as<int32_t>(call);
    default: throw_error(ErrorCode::kUnsupported, "dequantizing {} is not supported", to_string(call.input(0).dtype()));
  }
}

// uint8 with scale and zero point from the data's own range, as ONNX defines it.
void dynamic_quantize_linear(OpCall& call) {
  const Tensor& x = call.input(0);
  const std::span<const float> in = x.data<float>();
  float low = 0, high = 0;
  for (float v : in) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  // Denormal numbers may be no step apart; they are as good as zeros.
  const float step = (high - low) / 255.0F, scale = step > 0 ? step : 1.0F;
  // Minus infinity has the whole range below zero.
  const float zero = std::isinf(low) ? 255.0F : std::clamp(round_half_even(0.0F - low / scale), 0.0F, 255.0F);
  quantize<uint8_t>(in, scale, static_cast<int32_t>(zero),
                    call.output(0, DType::kUInt8, x.shape()).mutable_data<uint8_t>());
  call.set_output(1, Tensor::scalar(scale));
  call.set_output(2, Tensor::scalar(static_cast<uint8_t>(zero)));
}

constexpr OpDef kOps[] = {
    {.op_type = "QuantizeLinear", .run = quantize_linear, .any_layout = true},
    {.op_type = "DequantizeLinear", .run = dequantize_linear, .any_layout = true},
    {.op_type = "DynamicQuantizeLinear", .run = dynamic_quantize_linear},
};

}  // namespace

std::span<const OpDef> quantize_linear_ops() { return kOps; }

}  // namespace twofold
