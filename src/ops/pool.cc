// MaxPool, AveragePool and LpPool (ONNX opset 22).
#include "loops/layout.h"
#include "loops/pool_kernels.h"
#include "ops/families.h"
#include "ops/window.h"

namespace twofold {

namespace {

PoolGeometry pool_geometry(const OpCall& call, const Tensor& x) {
  const int spatial = spatial_rank(x.shape(), "input X");
  const auto axes = window_axes(WindowAttributes::read(call.attributes()).with_rank(spatial, {}), x.shape());
  PoolGeometry g;
  g.batch = x.dim(0);
  g.channels = x.dim(1);
  g.channels_last = x.layout() == Layout::kChannelsLast;
  g.axes.fill({1, 1});
  std::copy(axes.begin(), axes.end(), g.axes.end() - spatial);
  return g;
}

Shape output_shape(const PoolGeometry& g, const Tensor& x) {
  Shape shape = x.shape();
  for (size_t i = 2; i < shape.size(); ++i) shape[i] = g.axes[i + 3 - shape.size()].output;
  return shape;
}

// Where a spatial position stands in a plane that is read along its first axis first.
int64_t column_major(const PoolGeometry& g, int64_t position) {
  const int64_t w = position % g.axes[2].input;
  const int64_t h = position / g.axes[2].input % g.axes[1].input;
  const int64_t d = position / g.axes[2].input / g.axes[1].input;
  return (w * g.axes[1].input + h) * g.axes[0].input + d;
}

// Values and the positions of the first largest taps, counted over the whole of x.
template <typename T>
void max_pool_with_indices(OpCall& call, const Tensor& x, const PoolGeometry& g) {
  const bool by_column = call.attributes().get_int("storage_order", 0) != 0;
  const Shape shape = output_shape(g, x);
  const T* in = x.data<T>().data();
  T* out = call.output(0, x.dtype(), shape).template mutable_data<T>().data();
  int64_t* indices = call.output(1, DType::kInt64, shape).template mutable_data<int64_t>().data();
  for (int64_t plane = 0; plane < g.batch * g.channels; ++plane, in += g.input_size()) {
    for (int64_t o = 0; o < g.output_size(); ++o) {
      T best = std::numeric_limits<T>::lowest();
      int64_t at = -1;
      for_each_tap(g, o, [&](int64_t position) {
        if (at >= 0 && !(in[position] > best)) return;
        best = in[position];
        at = position;
      });
      if (at >= 0) at = plane * g.input_size() + (by_column ? column_major(g, at) : at);
      *out++ = best;
      *indices++ = at;
    }
  }
}

template <typename T>
void max_pool_as(OpCall& call) {
  const Tensor& x = call.input(0);
  if (call.num_outputs() > 1 && call.wants_output(1)) {
    const Tensor plain = to_layout(x, Layout::kPlain);
    return max_pool_with_indices<T>(call, plain, pool_geometry(call, plain));
  }
  const PoolGeometry g = pool_geometry(call, x);
  Tensor& y = call.output(0, x.dtype(), output_shape(g, x), x.layout());
  max_pool<T>(g, x.data<T>().data(), y.mutable_data<T>().data());
}

void run_max_pool(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kFloat32: return max_pool_as<float>(call);
    case DType::kFloat64: return max_pool_as<double>(call);
    case DType::kInt8: return max_pool_as<int8_t>(call);
    case DType::kUInt8: return max_pool_as<uint8_t>(call);
    case DType::kInt16: return max_pool_as<int16_t>(call);
    case DType::kUInt16: return max_pool_as<uint16_t>(call);
    default: throw_error(ErrorCode::kUnsupported, "pooling {} is not supported", to_string(call.input(0).dtype()));
  }
}

void run_average_pool(OpCall& call) {
  const Tensor& x = call.input(0);
  const PoolGeometry g = pool_geometry(call, x);
  const bool include_padding = call.attributes().get_int("count_include_pad", 0) != 0;
  const std::span<const float> in = x.data<float>();
  Tensor& y = call.output(0, DType::kFloat32, output_shape(g, x), x.layout());
  average_pool(g, include_padding, in.data(), y.mutable_data<float>().data());
}

void run_lp_pool(OpCall& call) {
  const Tensor& x = call.input(0);
  const PoolGeometry g = pool_geometry(call, x);
  const int64_t p = call.attributes().get_int("p", 2);
  if (p < 1 || p > 64) throw_error(ErrorCode::kUnsupported, "p {} must be from 1 to 64", p);
  const std::span<const float> in = x.data<float>();
  Tensor& y = call.output(0, DType::kFloat32, output_shape(g, x), x.layout());
  lp_pool(g, p, in.data(), y.mutable_data<float>().data());
}

constexpr OpDef kOps[] = {
    {.op_type = "MaxPool", .run = run_max_pool, .any_layout = true},
    {.op_type = "AveragePool", .run = run_average_pool, .any_layout = true},
    {.op_type = "LpPool", .run = run_lp_pool, .any_layout = true},
};

}  // namespace

std::span<const OpDef> pool_ops() { return kOps; }

}  // namespace twofold
