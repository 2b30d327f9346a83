// Normalization over the trailing dimensions of each row (ONNX opset 22 and RMSNormalization of 23):
// LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization, LpNormalization,
// MeanVarianceNormalization. Means and variances are kept in double.
#include <algorithm>
#include <cmath>

#include "base/parallel_for.h"
#include "loops/axis_split.h"
#include "loops/broadcast.h"
#include "loops/reduce_loops.h"
#include "loops/row_loops.h"
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 13;

struct Moments {
  float mean, inverse_deviation;
};

Moments moments(const float* x, int64_t n, double epsilon) {
  const auto count = static_cast<double>(n);
  const auto mean = static_cast<float>(row_sum(RowSum::kPlain, x, n) / count);
  const double variance = row_sum(RowSum::kSquareShifted, x, n, mean) / count;
  return {mean, static_cast<float>(1.0 / std::sqrt(variance + epsilon))};
}

float inverse_rms(const float* x, int64_t n, double epsilon) {
  return static_cast<float>(1.0 / std::sqrt(row_sum(RowSum::kSquare, x, n) / static_cast<double>(n) + epsilon));
}

// `scale` or `bias` of a normalization over x.shape()[axis:], spread over these dimensions; over all of x where it
// differs between rows.
Tensor spread(const Tensor& x, const Tensor& weight, int64_t axis) {
  const Shape row(x.shape().begin() + axis, x.shape().end());
  const Shape& target = weight.size() == 1 || weight.rank() <= static_cast<int>(row.size()) ? row : x.shape();
  if (weight.shape() == target) return weight;
  if (broadcast_shape(target, weight.shape()) != target) {
    throw_error(ErrorCode::kInvalidModel, "shape {} of scale or bias does not broadcast to input shape {}",
                to_string(weight.shape()), to_string(x.shape()));
  }
  Tensor result(DType::kFloat32, target);
  const std::vector<int64_t> in = element_strides(weight.shape()), out = element_strides(target);
  std::vector<CopyDim> dims;
  const size_t missing = weight.size() == 1 ? target.size() : target.size() - weight.shape().size();
  for (size_t d = 0; d < target.size(); ++d) {
    const bool repeated = d < missing || weight.shape()[d - missing] == 1;
    dims.push_back({target[d], repeated ? 0 : in[d - missing], out[d]});
  }
  if (result.size() > 0) strided_copy(sizeof(float), dims, weight.bytes(), result.mutable_bytes());
  return result;
}

// A scale or bias per element of a row: the same row for all, or a row for each.
struct RowWeights {
  Tensor tensor;
  const float* data = nullptr;
  int64_t step = 0;

  RowWeights() = default;
  RowWeights(const Tensor& x, const Tensor& weight, int64_t axis, int64_t row) : tensor(spread(x, weight, axis)) {
    data = tensor.data<float>().data();
    step = tensor.size() == row ? 0 : row;
  }
  const float* at(int64_t r) const { return data == nullptr ? nullptr : data + r * step; }
};

struct Rows {
  int64_t axis, count = 1, size = 1;

  explicit Rows(const OpCall& call) : axis(0) {
    const Tensor& x = call.input(0);
    axis = normalize_axis(call.attributes().get_int("axis", -1), x.rank());
    for (int d = 0; d < x.rank(); ++d) (d < axis ? count : size) *= x.dim(d);
  }
};

void require_float_stash(const OpCall& call) {
  const int64_t type = call.attributes().get_int("stash_type", 1);
  if (type != static_cast<int64_t>(DType::kFloat32)) {
    throw_error(ErrorCode::kUnsupported, "stash_type {} is not supported, only 1 (float32)", type);
  }
}

void layer_normalization(OpCall& call) {
  require_float_stash(call);
  const Tensor& x = call.input(0);
  const Rows rows(call);
  const double epsilon = call.attributes().get_float("epsilon", 1e-5F);
  const RowWeights scale(x, call.input(1), rows.axis, rows.size);
  const RowWeights bias = call.has_input(2) ? RowWeights(x, call.input(2), rows.axis, rows.size) : RowWeights();
  Shape statistics = x.shape();
  std::fill(statistics.begin() + rows.axis, statistics.end(), 1);
  Tensor mean(DType::kFloat32, statistics), inverse(DType::kFloat32, statistics);
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  float *means = mean.mutable_data<float>().data(), *inverses = inverse.mutable_data<float>().data();
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(rows.size, 1));
  parallel_for(rows.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* row = in + r * rows.size;
      const Moments m = moments(row, rows.size, epsilon);
      row_normalize(row, m.mean, m.inverse_deviation, scale.at(r), bias.at(r), out + r * rows.size, rows.size);
      means[r] = m.mean;
      inverses[r] = m.inverse_deviation;
    }
  });
  if (call.wants_output(1)) call.set_output(1, std::move(mean));
  if (call.wants_output(2)) call.set_output(2, std::move(inverse));
}

void rms_normalization(OpCall& call) {
  require_float_stash(call);
  const Tensor& x = call.input(0);
  const Rows rows(call);
  const double epsilon = call.attributes().get_float("epsilon", 1e-5F);
  const RowWeights scale(x, call.input(1), rows.axis, rows.size);
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(rows.size, 1));
  parallel_for(rows.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* row = in + r * rows.size;
      row_normalize(row, 0.0F, inverse_rms(row, rows.size, epsilon), scale.at(r), nullptr, out + r * rows.size,
                    rows.size);
    }
  });
}

// A vector of `size` floats, for input `i`.
const float* vector_input(const OpCall& call, int i, int64_t size) {
  const Tensor& tensor = call.input(i);
  if (tensor.rank() != 1 || tensor.size() != size) {
    throw_error(ErrorCode::kInvalidModel, "input {} must have shape [{}], but has {}", i, size,
                to_string(tensor.shape()));
  }
  return tensor.data<float>().data();
}

// Each of x.dim(0) * groups runs of channels to mean 0 and variance 1, then the affine map of each channel.
void normalize_groups(OpCall& call, int64_t groups) {
  const Tensor& x = call.input(0);
  const int64_t channels = x.dim(1);
  const int64_t spatial = x.size() == 0 ? 0 : x.size() / x.dim(0) / channels;
  const int64_t per_group = channels / groups, size = per_group * spatial;
  const float *scale = vector_input(call, 1, channels), *bias = vector_input(call, 2, channels);
  const double epsilon = call.attributes().get_float("epsilon", 1e-5F);
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  if (x.size() == 0) return;
  parallel_for(x.dim(0) * groups, std::max<int64_t>(1, kGrain / size), [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      const Moments m = moments(in + g * size, size, epsilon);
      for (int64_t k = 0; k < per_group; ++k) {
        const int64_t channel = g % groups * per_group + k, offset = g * size + k * spatial;
        row_normalize(in + offset, m.mean, m.inverse_deviation, nullptr, nullptr, out + offset, spatial);
        row_affine(out + offset, scale[channel], bias[channel], out + offset, spatial);
      }
    }
  });
}

void require_channels(const Tensor& x) {
  if (x.rank() < 2) throw_error(ErrorCode::kInvalidModel, "input shape {} has no channels", to_string(x.shape()));
}

void group_normalization(OpCall& call) {
  require_float_stash(call);
  const Tensor& x = call.input(0);
  require_channels(x);
  const int64_t groups = call.attributes().get_int("num_groups");
  if (groups <= 0 || x.dim(1) % groups != 0) {
    throw_error(ErrorCode::kInvalidModel, "{} channels are not divisible into num_groups = {}", x.dim(1), groups);
  }
  normalize_groups(call, groups);
}

void instance_normalization(OpCall& call) {
  require_channels(call.input(0));
  if (call.input(0).dim(1) == 0) throw_error(ErrorCode::kInvalidModel, "input 0 has no channels");
  normalize_groups(call, call.input(0).dim(1));
}

void lp_normalization(OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t p = call.attributes().get_int("p", 2);
  if (p != 1 && p != 2) throw_error(ErrorCode::kInvalidModel, "attribute p is {}, not 1 or 2", p);
  const AxisSplit split = split_at(x.shape(), normalize_axis(call.attributes().get_int("axis", -1), x.rank()));
  Tensor norms(DType::kFloat32, {split.outer, split.inner});
  float* norm = norms.mutable_data<float>().data();
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  if (x.size() == 0) return;
  reduce(p == 1 ? ReduceOp::kL1 : ReduceOp::kL2, split, in, norm);
  for (int64_t o = 0; o < split.outer; ++o) {
    for (int64_t k = 0; k < split.axis; ++k) {
      const int64_t offset = (o * split.axis + k) * split.inner;
      for (int64_t i = 0; i < split.inner; ++i) {
        const float n = norm[o * split.inner + i];
        out[offset + i] = n == 0 ? 0.0F : in[offset + i] / n;
      }
    }
  }
}

// Over any axes: transposes them to the end, normalizes rows, and transposes back.
void mean_variance_normalization(OpCall& call) {
  constexpr double kEpsilon = 1e-9;  // added to the deviation
  const Tensor& x = call.input(0);
  const std::vector<int64_t> axes = normalize_axes(call.attributes().get_ints("axes", {0, 2, 3}), x.rank());
  std::vector<bool> reduced(static_cast<size_t>(x.rank()), false);
  for (int64_t axis : axes) reduced[static_cast<size_t>(axis)] = true;
  const std::vector<int64_t> strides = element_strides(x.shape());
  std::vector<CopyDim> to_rows, back;
  int64_t step = 1, row = 1;
  for (bool last : {true, false}) {
    for (size_t d = reduced.size(); d-- > 0;) {
      if (reduced[d] != last) continue;
      to_rows.push_back({x.shape()[d], strides[d], step});
      back.push_back({x.shape()[d], step, strides[d]});
      step *= x.shape()[d];
    }
    if (last) row = step;
  }
  Tensor& y = call.output(0, DType::kFloat32, x.shape());
  if (x.size() == 0) return;
  Tensor arranged = call.scratch(DType::kFloat32, x.shape());
  strided_copy(sizeof(float), to_rows, x.bytes(), arranged.mutable_bytes());
  float* data = arranged.mutable_data<float>().data();
  const auto count = static_cast<double>(row);
  parallel_for(x.size() / row, std::max<int64_t>(1, kGrain / row), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      float* values = data + r * row;
      const auto mean = static_cast<float>(row_sum(RowSum::kPlain, values, row) / count);
      const double deviation = std::sqrt(row_sum(RowSum::kSquareShifted, values, row, mean) / count);
      row_normalize(values, mean, static_cast<float>(1.0 / (deviation + kEpsilon)), nullptr, nullptr, values, row);
    }
  });
  strided_copy(sizeof(float), back, arranged.bytes(), y.mutable_bytes());
}

constexpr OpDef kOps[] = {
    {.op_type = "LayerNormalization", .run = with_16bit_floats<layer_normalization, 1>},
    {.op_type = "RMSNormalization", .run = with_16bit_floats<rms_normalization>},
    {.op_type = "GroupNormalization", .run = with_16bit_floats<group_normalization>},
    {.op_type = "InstanceNormalization", .run = with_16bit_floats<instance_normalization>},
    {.op_type = "LpNormalization", .run = with_16bit_floats<lp_normalization>},
    {.op_type = "MeanVarianceNormalization", .run = with_16bit_floats<mean_variance_normalization>},
};

}  // namespace

std::span<const OpDef> normalization_ops() { return kOps; }

}  // namespace twofold
