#include "quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "calibrate/weight_scales.h"
#include "numeric/ec.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

// The weight seen as [outer, channels, inner]; one channel where axis is -1.
struct ChannelView {
  int64_t outer = 1, channels = 1, inner = 1;

  ChannelView(const Shape& shape, int axis) {
    for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
      (i < axis || axis < 0 ? outer : i == axis ? channels : inner) *= shape[static_cast<size_t>(i)];
    }
  }
  // Calls body(channel, offset, length) for every contiguous run of one channel.
  template <typename Body>
  void for_each_run(const Body& body) const {
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t c = 0; c < channels; ++c) {
        body(static_cast<size_t>(c), static_cast<size_t>((o * channels + c) * inner), static_cast<size_t>(inner));
      }
    }
  }
};

template <typename T>
Tensor quantize_nearest(const Tensor& weight, const QParams& params) {
  Tensor result(kDTypeOf<T>, weight.shape());
  const std::span<T> out = result.mutable_data<T>();
  const std::span<const float> in = weight.data<float>();
  ChannelView(weight.shape(), params.axis).for_each_run([&](size_t channel, size_t offset, size_t length) {
    quantize<T>(in.subspan(offset, length), params.scale[channel], 0, out.subspan(offset, length));
  });
  return result;
}

// One weight that may move by a step: how far its rounding error is from the middle, and where it is.
struct Candidate {
  float distance;
  size_t index;
};

// Moves the integers of one filter so that their sum is the rounded sum of x = weight / scale. The weights whose
// fraction is nearest to one half move, each by one step, in the direction that the sum needs.
template <typename T>
void preserve_sum(std::span<const float> weight, float scale, const std::vector<size_t>& filter, std::span<T> q) {
  double exact = 0;
  int64_t sum = 0;
  for (size_t i : filter) {
    exact += static_cast<double>(weight[i]) / scale;
    sum += q[i];
  }
  const auto missing = static_cast<int64_t>(round_half_even(exact)) - sum;
  const int step = missing > 0 ? 1 : -1;
  std::vector<Candidate> candidates;
  for (size_t i : filter) {
    const float error = weight[i] / scale - static_cast<float>(q[i]);  // in [-0.5, 0.5]
    const int moved = q[i] + step;
    if (error * static_cast<float>(step) > 0 && moved >= std::numeric_limits<T>::min() &&
        moved <= std::numeric_limits<T>::max()) {
      candidates.push_back({0.5F - std::fabs(error), i});
    }
  }
  const auto moves = std::min<size_t>(static_cast<size_t>(std::abs(missing)), candidates.size());
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
  for (size_t i = 0; i < moves; ++i) q[candidates[i].index] = static_cast<T>(q[candidates[i].index] + step);
}

template <typename T>
Tensor quantize_as(const Tensor& weight, const QParams& params, Rounding rounding) {
  Tensor result = quantize_nearest<T>(weight, params);
  if (rounding == Rounding::kNearest) return result;
  const ChannelView view(weight.shape(), params.axis);
  std::vector<std::vector<size_t>> filters(static_cast<size_t>(view.channels));
  view.for_each_run([&](size_t channel, size_t offset, size_t length) {
    for (size_t i = 0; i < length; ++i) filters[channel].push_back(offset + i);
  });
  for (size_t c = 0; c < filters.size(); ++c) {
    preserve_sum<T>(weight.data<float>(), params.scale[c], filters[c], result.mutable_data<T>());
  }
  return result;
}

}  // namespace

QParams weight_qparams(const Tensor& weight, int axis, QType qtype) {
  return {qtype, axis, weight_scales(weight, axis, qtype), {}};
}

Tensor quantize_weight(const Tensor& weight, const QParams& params, Rounding rounding) {
  TWOFOLD_CHECK(params.qtype == QType::kInt8 || params.qtype == QType::kInt16);
  return params.qtype == QType::kInt8 ? quantize_as<int8_t>(weight, params, rounding)
                                      : quantize_as<int16_t>(weight, params, rounding);
}

EcWeight quantize_ec_weight(const Tensor& weight, const QParams& params) {
  TWOFOLD_CHECK(params.qtype == QType::kEc);
  EcWeight result{Tensor(DType::kInt8, weight.shape()), Tensor(DType::kInt8, weight.shape())};
  const std::span<int8_t> q1 = result.first.mutable_data<int8_t>(), q2 = result.second.mutable_data<int8_t>();
  const std::span<const float> in = weight.data<float>();
  ChannelView(weight.shape(), params.axis).for_each_run([&](size_t channel, size_t offset, size_t length) {
    ec_quantize(in.subspan(offset, length), params.scale[channel], q1.subspan(offset, length),
                q2.subspan(offset, length));
  });
  return result;
}

Tensor dequantize_weight(const Tensor& integers, const QParams& params) {
  Tensor result(DType::kFloat32, integers.shape());
  const std::span<float> out = result.mutable_data<float>();
  ChannelView(integers.shape(), params.axis).for_each_run([&](size_t channel, size_t offset, size_t length) {
    const std::span<float> run = out.subspan(offset, length);
    if (integers.dtype() == DType::kInt8) {
      dequantize<int8_t>(integers.data<int8_t>().subspan(offset, length), params.scale[channel], 0, run);
    } else {
      dequantize<int16_t>(integers.data<int16_t>().subspan(offset, length), params.scale[channel], 0, run);
    }
  });
  return result;
}

}  // namespace twofold
