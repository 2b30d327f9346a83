// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear (ONNX opset 21): per tensor, per axis and blocked.
#include <algorithm>
#include <cmath>

#include "base/parallel_for.h"
#include "loops/layout.h"
#include "numeric/quantize.h"
#include "ops/families.h"
#include "ops/zero_points.h"

namespace twofold {

namespace {

// Where the scale of an element is: the data seen as [outer, axis, inner], a scale per `block` positions of the axis.
struct ScaleGrid {
  int64_t outer = 1, axis = 1, inner = 1;
  int64_t block = 1;
  bool per_inner = false;  // blocked: scales differ along `inner` too
};

ScaleGrid scale_grid(const OpCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& scale = call.input(1);
  ScaleGrid grid;
  if (scale.size() == 1 && scale.rank() <= 1) {
    grid.inner = x.size();
    return grid;
  }
  int64_t axis = call.attributes().get_int("axis", 1);
  if (axis < -x.rank() || axis >= x.rank()) {
    throw_error(ErrorCode::kInvalidModel, "axis {} is out of range for input shape {}", axis, to_string(x.shape()));
  }
  if (axis < 0) axis += x.rank();
  for (int i = 0; i < x.rank(); ++i) (i < axis ? grid.outer : i == axis ? grid.axis : grid.inner) *= x.dim(i);
  const int64_t block = call.attributes().get_int("block_size", 0);
  bool fits = scale.rank() == 1 && scale.dim(0) == grid.axis;
  if (block > 0) {
    Shape expected = x.shape();
    expected[static_cast<size_t>(axis)] = (grid.axis + block - 1) / block;
    fits = scale.shape() == expected;
    grid.block = block;
    grid.per_inner = true;
  }
  if (!fits) {
    throw_error(ErrorCode::kInvalidModel, "scale shape {} does not fit input shape {} at axis {}",
                to_string(scale.shape()), to_string(x.shape()), axis);
  }
  return grid;
}

struct ScaleAndZero {
  float scale;
  int32_t zero_point;
};

std::vector<ScaleAndZero> read_scales(const OpCall& call) {
  const Tensor scale = to_layout(call.input(1), Layout::kPlain);
  const Tensor zeros_given = call.has_input(2) ? to_layout(call.input(2), Layout::kPlain) : Tensor();
  const Tensor* zero_point = zeros_given.defined() ? &zeros_given : nullptr;
  if (zero_point != nullptr && zero_point->size() != scale.size()) {
    throw_error(ErrorCode::kInvalidModel, "scale shape {} and zero point shape {} differ", to_string(scale.shape()),
                to_string(zero_point->shape()));
  }
  const std::span<const float> scales = scale.data<float>();
  const auto zeros = zero_point == nullptr ? std::vector<int32_t>(static_cast<size_t>(scale.size()), 0)
                                           : zero_point_values(*zero_point);
  if (!zeros) {
    throw_error(ErrorCode::kUnsupported, "zero point of type {} is not supported", to_string(zero_point->dtype()));
  }
  std::vector<ScaleAndZero> result;
  for (size_t i = 0; i < scales.size(); ++i) {
    if (!(scales[i] > 0) || !std::isfinite(scales[i])) {
      throw_error(ErrorCode::kInvalidModel, "scale {} at index {} is not a positive number", scales[i], i);
    }
    result.push_back({scales[i], (*zeros)[i]});
  }
  return result;
}

// Calls body(offset, length, scale) for every run of elements that share one scale.
template <typename Body>
void for_each_run(const ScaleGrid& grid, const std::vector<ScaleAndZero>& scales, const Body& body) {
  if (!grid.per_inner) {
    const int64_t rows = grid.outer * grid.axis;
    if (rows == 1) {
      parallel_for(grid.inner, 1 << 16, [&](int64_t begin, int64_t end) { body(begin, end - begin, scales[0]); });
      return;
    }
    parallel_for(rows, std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(grid.inner, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r)
                     body(r * grid.inner, grid.inner, scales[static_cast<size_t>(r % grid.axis)]);
                 });
    return;
  }
  const int64_t blocks = (grid.axis + grid.block - 1) / grid.block;
  for (int64_t o = 0; o < grid.outer; ++o) {
    for (int64_t a = 0; a < grid.axis; ++a) {
      for (int64_t i = 0; i < grid.inner; ++i) {
        const int64_t s = (o * blocks + a / grid.block) * grid.inner + i;
        body((o * grid.axis + a) * grid.inner + i, 1, scales[static_cast<size_t>(s)]);
      }
    }
  }
}

// Input 0; in plain layout where scales differ, since their grid follows the order of the shape.
Tensor data_of(const OpCall& call) {
  const bool one_scale = call.input(1).size() == 1;
  return one_scale ? call.input(0) : to_layout(call.input(0), Layout::kPlain);
}

template <typename T>
void quantize_as(OpCall& call, DType dtype) {
  const Tensor x = data_of(call);
  const ScaleGrid grid = scale_grid(call);
  const std::vector<ScaleAndZero> scales = read_scales(call);
  std::span<T> out = call.output(0, dtype, x.shape(), x.layout()).mutable_data<T>();
  const std::span<const float> in = x.data<float>();
  for_each_run(grid, scales, [&](int64_t offset, int64_t length, const ScaleAndZero& s) {
    const auto o = static_cast<size_t>(offset), n = static_cast<size_t>(length);
    quantize<T>(in.subspan(o, n), s.scale, s.zero_point, out.subspan(o, n));
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
  const ScaleGrid grid = scale_grid(call);
  const std::vector<ScaleAndZero> scales = read_scales(call);
  std::span<float> out = call.output(0, DType::kFloat32, q.shape(), q.layout()).mutable_data<float>();
  const std::span<const T> in = q.data<T>();
  for_each_run(grid, scales, [&](int64_t offset, int64_t length, const ScaleAndZero& s) {
    const auto o = static_cast<size_t>(offset), n = static_cast<size_t>(length);
    dequantize<T>(in.subspan(o, n), s.scale, s.zero_point, out.subspan(o, n));
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
  const float scale = low == high ? 1.0F : (high - low) / 255.0F;
  const float zero = std::clamp(round_half_even(0.0F - low / scale), 0.0F, 255.0F);
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
