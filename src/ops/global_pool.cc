// GlobalAveragePool, GlobalMaxPool and GlobalLpPool (ONNX opset 22).
#include "ops/global_pool.h"

#include "ops/families.h"

namespace twofold {

namespace {

struct GlobalShape {
  int64_t batch, channels, spatial;
  Shape output;
};

GlobalShape global_shape(const Tensor& x) {
  if (x.rank() < 2) {
    throw_error(ErrorCode::kInvalidModel, "input X has shape {}; it must be [N,C,spatial...]", to_string(x.shape()));
  }
  GlobalShape result{x.dim(0), x.dim(1), 1, x.shape()};
  for (size_t i = 2; i < result.output.size(); ++i) {
    result.spatial *= result.output[i];
    result.output[i] = 1;
  }
  if (result.spatial == 0) {
    throw_error(ErrorCode::kInvalidModel, "input X {} has no positions to pool", to_string(x.shape()));
  }
  return result;
}

void run_global_average_pool(OpCall& call) {
  const float* x = call.input(0).data<float>().data();
  global_average(call, [x](int64_t offset, int64_t, float*) { return x + offset; });
}

// One window over all positions.
PoolGeometry whole_window(const GlobalShape& shape, Layout layout) {
  PoolGeometry g;
  g.batch = shape.batch;
  g.channels = shape.channels;
  g.axes.fill({1, 1});
  g.axes[2].input = g.axes[2].kernel = shape.spatial;
  g.channels_last = layout == Layout::kChannelsLast;
  return g;
}

template <typename T>
void global_max_as(OpCall& call) {
  const Tensor& x = call.input(0);
  const GlobalShape shape = global_shape(x);
  Tensor& y = call.output(0, x.dtype(), shape.output, x.layout());
  max_pool<T>(whole_window(shape, x.layout()), x.data<T>().data(), y.mutable_data<T>().data());
}

void run_global_max_pool(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kFloat32: return global_max_as<float>(call);
    case DType::kFloat64: return global_max_as<double>(call);
    case DType::kInt8: return global_max_as<int8_t>(call);
    case DType::kUInt8: return global_max_as<uint8_t>(call);
    case DType::kInt16: return global_max_as<int16_t>(call);
    case DType::kUInt16: return global_max_as<uint16_t>(call);
    default: throw_error(ErrorCode::kUnsupported, "pooling {} is not supported", to_string(call.input(0).dtype()));
  }
}

void run_global_lp_pool(OpCall& call) {
  const Tensor& x = call.input(0);
  const GlobalShape shape = global_shape(x);
  const int64_t p = call.attributes().get_int("p", 2);
  if (p < 1 || p > 64) throw_error(ErrorCode::kUnsupported, "p {} must be from 1 to 64", p);
  const std::span<const float> in = x.data<float>();
  Tensor& y = call.output(0, DType::kFloat32, shape.output, x.layout());
  lp_pool(whole_window(shape, x.layout()), p, in.data(), y.mutable_data<float>().data());
}

constexpr OpDef kOps[] = {
    {.op_type = "GlobalAveragePool", .run = run_global_average_pool, .any_layout = true},
    {.op_type = "GlobalMaxPool", .run = run_global_max_pool, .any_layout = true},
    {.op_type = "GlobalLpPool", .run = run_global_lp_pool, .any_layout = true},
};

}  // namespace

void global_average(OpCall& call, const FloatSource& x) {
  const Tensor& data = call.input(0);
  const GlobalShape shape = global_shape(data);
  Tensor& y = call.output(0, DType::kFloat32, shape.output, data.layout());
  global_average_pool(shape.batch, shape.channels, shape.spatial, data.layout() == Layout::kChannelsLast, x,
                      y.mutable_data<float>().data());
}

std::span<const OpDef> global_pool_ops() { return kOps; }

}  // namespace twofold
