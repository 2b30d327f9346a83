// Normalization across or per channel of [N,C,spatial...]: BatchNormalization (ONNX opset 15, training mode too) and
// LRN.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/parallel_for.h"
#include "kernels/aligned_buffer.h"
#include "loops/layout.h"
#include "loops/row_loops.h"
#include "numeric/math.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;

struct Planes {
  int64_t batch, channels, spatial;

  explicit Planes(const Tensor& x) {
    if (x.rank() < 1) throw_error(ErrorCode::kInvalidModel, "input shape [] has no channels");
    batch = x.dim(0);
    channels = x.rank() > 1 ? x.dim(1) : 1;
    spatial = 1;
    for (int d = 2; d < x.rank(); ++d) spatial *= x.dim(d);
  }
};

// y = x * factor + addend per channel.
struct Affine {
  FloatList factor, addend;
};

struct Statistics {
  FloatList mean, variance;
};

FloatList channel_input(const OpCall& call, int i, int64_t channels) {
  const Tensor& tensor = call.input(i);
  if (tensor.size() != channels) {
    throw_error(ErrorCode::kInvalidModel, "input {} has shape {}, but the data has {} channels", i,
                to_string(tensor.shape()), channels);
  }
  const std::span<const float> values = tensor.data<float>();
  return {values.begin(), values.end(), call.allocator()};
}

// Mean and population variance of the batch. REQUIRES: plain layout, x not empty.
Statistics batch_statistics(const Tensor& x, const Planes& planes, Allocator* allocator) {
  const float* in = x.data<float>().data();
  const double count = static_cast<double>(planes.batch) * static_cast<double>(planes.spatial);
  Statistics result{FloatList(allocator), FloatList(allocator)};
  result.mean.reserve(static_cast<size_t>(planes.channels));
  result.variance.reserve(static_cast<size_t>(planes.channels));
  for (int64_t c = 0; c < planes.channels; ++c) {
    const auto sum = [&](RowSum what, float shift) {
      double total = 0;
      for (int64_t n = 0; n < planes.batch; ++n) {
        total += row_sum(what, in + (n * planes.channels + c) * planes.spatial, planes.spatial, shift);
      }
      return total;
    };
    result.mean.push_back(static_cast<float>(sum(RowSum::kPlain, 0) / count));
    result.variance.push_back(static_cast<float>(sum(RowSum::kSquareShifted, result.mean.back()) / count));
  }
  return result;
}

void set_running(OpCall& call, int output, const FloatList& running, const FloatList& batch) {
  if (!call.wants_output(output)) return;
  const float momentum = call.attributes().get_float("momentum", 0.9F);
  const auto channels = static_cast<int64_t>(batch.size());
  const std::span<float> out = call.output(output, DType::kFloat32, {channels}).mutable_data<float>();
  for (size_t c = 0; c < batch.size(); ++c) out[c] = running[c] * momentum + batch[c] * (1.0F - momentum);
}

// The statistics to normalize with: the inputs, or in training mode those of the batch, which then also move the
// running ones (outputs 1 and 2).
Statistics statistics_to_use(OpCall& call, const Planes& planes) {
  Statistics given{channel_input(call, 3, planes.channels), channel_input(call, 4, planes.channels)};
  if (call.attributes().get_int("training_mode", 0) == 0) return given;
  if (call.input(0).size() == 0) throw_error(ErrorCode::kInvalidArgument, "training_mode needs a batch that has data");
  const Tensor plain = to_layout(call.input(0), Layout::kPlain, call.allocator());
  Statistics batch = batch_statistics(plain, planes, call.allocator());
  set_running(call, 1, given.mean, batch.mean);
  set_running(call, 2, given.variance, batch.variance);
  return batch;
}

Affine affine_of(OpCall& call, const Planes& planes) {
  const FloatList scale = channel_input(call, 1, planes.channels), bias = channel_input(call, 2, planes.channels);
  const Statistics statistics = statistics_to_use(call, planes);
  const double epsilon = call.attributes().get_float("epsilon", 1e-5F);
  Affine result{FloatList(scale.size(), call.allocator()), FloatList(scale.size(), call.allocator())};
  for (size_t c = 0; c < scale.size(); ++c) {
    const double factor = scale[c] / std::sqrt(statistics.variance[c] + epsilon);
    result.factor[c] = static_cast<float>(factor);
    result.addend[c] = static_cast<float>(bias[c] - statistics.mean[c] * factor);
  }
  return result;
}

void batch_normalization(OpCall& call) {
  const Tensor& x = call.input(0);
  const Planes planes(x);
  const Affine affine = affine_of(call, planes);
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape(), x.layout()).mutable_data<float>().data();
  if (x.size() == 0) return;
  const bool last = x.layout() == Layout::kChannelsLast || planes.spatial == 1;
  const int64_t rows = x.size() / (last ? planes.channels : planes.spatial), size = x.size() / rows;
  parallel_for(rows, std::max<int64_t>(1, kGrain / size), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      if (last) {
        column_affine(in + r * size, affine.factor.data(), affine.addend.data(), out + r * size, size);
      } else {
        const auto c = static_cast<size_t>(r % planes.channels);
        row_affine(in + r * size, affine.factor[c], affine.addend[c], out + r * size, size);
      }
    }
  });
}

// y = x / (bias + alpha / size * sum of squares of the `size` channels around)^beta.
void lrn(OpCall& call) {
  const Tensor& x = call.input(0);
  const Planes planes(x);
  const int64_t size = call.attributes().get_int("size");
  if (size < 1) throw_error(ErrorCode::kInvalidModel, "attribute size is {}, but must be positive", size);
  const double alpha = call.attributes().get_float("alpha", 1e-4F) / static_cast<double>(size);
  const double beta = call.attributes().get_float("beta", 0.75F), bias = call.attributes().get_float("bias", 1.0F);
  const int64_t before = (size - 1) / 2, after = size - 1 - before;
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  parallel_for(planes.batch * planes.channels, 1, [&](int64_t begin, int64_t end) {
    kernels::AlignedVector<double> sums(static_cast<size_t>(planes.spatial), call.allocator());
    for (int64_t r = begin; r < end; ++r) {
      const int64_t image = r / planes.channels * planes.channels, c = r % planes.channels;
      std::fill(sums.begin(), sums.end(), 0.0);
      const int64_t stop = c < planes.channels - after ? c + after : planes.channels - 1;
      for (int64_t k = std::max<int64_t>(0, c - before); k <= stop; ++k) {
        column_sum(RowSum::kSquare, in + (image + k) * planes.spatial, nullptr, sums.data(), planes.spatial);
      }
      for (int64_t i = 0; i < planes.spatial; ++i) {
        const double base = bias + alpha * sums[static_cast<size_t>(i)];
        const double power = math::core::exp(math::core::clamp(-beta * math::core::log(base), -700.0, 700.0));
        out[r * planes.spatial + i] = static_cast<float>(in[r * planes.spatial + i] * power);
      }
    }
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "BatchNormalization", .run = with_16bit_floats<batch_normalization>, .any_layout = true},
    {.op_type = "LRN", .run = with_16bit_floats<lrn>},
};

}  // namespace

std::span<const OpDef> channel_normalization_ops() { return kOps; }

}  // namespace twofold
