// Normalization across or per channel of [N,C,spatial...]: BatchNormalization (ONNX opset 15, inference) and LRN.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/parallel_for.h"
#include "numeric/math.h"
#include "ops/cast.h"
#include "ops/families.h"
#include "ops/row_loops.h"

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
  std::vector<float> factor, addend;
};

Affine fold_statistics(const OpCall& call, int64_t channels) {
  const float* inputs[5] = {};
  for (int i = 1; i <= 4; ++i) {
    if (call.input(i).size() != channels) {
      throw_error(ErrorCode::kInvalidModel, "input {} has shape {}, but the data has {} channels", i,
                  to_string(call.input(i).shape()), channels);
    }
    inputs[i] = call.input(i).data<float>().data();
  }
  const double epsilon = call.attributes().get_float("epsilon", 1e-5F);
  Affine result;
  for (int64_t c = 0; c < channels; ++c) {
    const double factor = inputs[1][c] / std::sqrt(inputs[4][c] + epsilon);
    result.factor.push_back(static_cast<float>(factor));
    result.addend.push_back(static_cast<float>(inputs[2][c] - inputs[3][c] * factor));
  }
  return result;
}

void batch_normalization(OpCall& call) {
  if (call.attributes().get_int("training_mode", 0) != 0) {
    throw_error(ErrorCode::kUnsupported, "training_mode = 1 is not supported; export the model for inference");
  }
  const Tensor& x = call.input(0);
  const Planes planes(x);
  const Affine affine = fold_statistics(call, planes.channels);
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
    std::vector<double> sums(static_cast<size_t>(planes.spatial));
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
