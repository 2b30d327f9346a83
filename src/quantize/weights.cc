#include "quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/parallel_for.h"
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

  size_t filter_size() const { return static_cast<size_t>(outer * inner); }

  // The filters of channels [first, last), one after the other.
  template <typename T>
  std::vector<T> gather(std::span<const T> weight, int64_t first, int64_t last) const {
    std::vector<T> filters(static_cast<size_t>(last - first) * filter_size());
    for_each_run(first, last, [&](size_t in_weight, size_t in_filters) {
      copy_run(weight.data() + in_weight, filters.data() + in_filters);
    });
    return filters;
  }

  // The way back.
  template <typename T>
  void scatter(const std::vector<T>& filters, int64_t first, int64_t last, std::span<T> weight) const {
    for_each_run(first, last, [&](size_t in_weight, size_t in_filters) {
      copy_run(filters.data() + in_filters, weight.data() + in_weight);
    });
  }

 private:
  // Runs of a MatMul's weight are one element long, for which a call of memmove takes too long.
  template <typename T>
  void copy_run(const T* from, T* to) const {
    if (inner == 1) {
      *to = *from;
    } else {
      std::copy_n(from, inner, to);
    }
  }

  template <typename Body>
  void for_each_run(int64_t first, int64_t last, const Body& body) const {
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t c = first; c < last; ++c) {
        body(static_cast<size_t>((o * channels + c) * inner), static_cast<size_t>(((c - first) * outer + o) * inner));
      }
    }
  }
};

// So many filters are worked on at a time: where they lie interleaved, they then share cache lines.
constexpr int64_t kFiltersPerBlock = 16;
// Smaller weights are not worth another thread.
constexpr int64_t kParallelElements = 1 << 14;

// Calls body(first, last) for blocks of channels that make up all of them, in parallel.
template <typename Body>
void for_each_block(const ChannelView& view, const Body& body) {
  const int64_t blocks = (view.channels + kFiltersPerBlock - 1) / kFiltersPerBlock;
  const int64_t block_size = kFiltersPerBlock * static_cast<int64_t>(view.filter_size());
  parallel_for(blocks, kParallelElements / std::max<int64_t>(block_size, 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      throw_if_cancelled();
      body(b * kFiltersPerBlock, std::min(view.channels, (b + 1) * kFiltersPerBlock));
    }
  });
}

// One weight that may move by a step: how far its rounding error is from the middle, and where it is.
struct Candidate {
  float distance;
  size_t index;

  auto operator<=>(const Candidate&) const = default;
};

// Moves the integers of one filter so that their sum is the rounded sum of x = weight / scale. The weights whose
// fraction is nearest to one half move, each by one step, in the direction that the sum needs.
template <typename T>
void preserve_sum(std::span<const float> filter, float scale, std::span<T> q) {
  double exact = 0;
  int64_t sum = 0;
  for (size_t i = 0; i < filter.size(); ++i) {
    exact += static_cast<double>(filter[i]) / scale;
    sum += q[i];
  }
  const auto missing = static_cast<int64_t>(round_half_even(exact)) - sum;
  if (missing == 0) return;
  const int step = missing > 0 ? 1 : -1;
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < filter.size(); ++i) {
    const float error = filter[i] / scale - static_cast<float>(q[i]);  // in [-0.5, 0.5]
    const int moved = q[i] + step;
    if (error * static_cast<float>(step) > 0 && moved >= std::numeric_limits<T>::min() &&
        moved <= std::numeric_limits<T>::max()) {
      candidates.push_back({0.5F - std::fabs(error), i});
    }
  }
  const auto moves = std::min<size_t>(static_cast<size_t>(std::abs(missing)), candidates.size());
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(moves), candidates.end());
  for (size_t i = 0; i < moves; ++i) q[candidates[i].index] = static_cast<T>(q[candidates[i].index] + step);
}

template <typename T>
Tensor quantize_as(const Tensor& weight, const QParams& params, Rounding rounding) {
  const ChannelView view(weight.shape(), params.axis);
  const size_t size = view.filter_size();
  Tensor result(kDTypeOf<T>, weight.shape());
  const std::span<T> out = result.mutable_data<T>();
  for_each_block(view, [&](int64_t first, int64_t last) {
    const std::vector<float> filters = view.gather(weight.data<float>(), first, last);
    std::vector<T> q(filters.size());
    for (int64_t c = first; c < last; ++c) {
      const auto start = static_cast<size_t>(c - first) * size;
      const std::span<const float> filter = std::span(filters).subspan(start, size);
      const std::span<T> integers = std::span(q).subspan(start, size);
      const float scale = params.scale[static_cast<size_t>(c)];
      quantize<T>(filter, scale, 0, integers);
      if (rounding == Rounding::kPreserveSum) preserve_sum<T>(filter, scale, integers);
    }
    view.scatter(q, first, last, out);
  });
  return result;
}

template <typename T>
Tensor dequantize_as(const Tensor& integers, const QParams& params) {
  const ChannelView view(integers.shape(), params.axis);
  const size_t size = view.filter_size();
  Tensor result(DType::kFloat32, integers.shape());
  const std::span<float> out = result.mutable_data<float>();
  for_each_block(view, [&](int64_t first, int64_t last) {
    const std::vector<T> q = view.gather(integers.data<T>(), first, last);
    std::vector<float> filters(q.size());
    for (int64_t c = first; c < last; ++c) {
      const auto start = static_cast<size_t>(c - first) * size;
      dequantize<T>(std::span(q).subspan(start, size), params.scale[static_cast<size_t>(c)], 0,
                    std::span(filters).subspan(start, size));
    }
    view.scatter(filters, first, last, out);
  });
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
  const ChannelView view(weight.shape(), params.axis);
  const size_t size = view.filter_size();
  EcWeight result{Tensor(DType::kInt8, weight.shape()), Tensor(DType::kInt8, weight.shape())};
  const std::span<int8_t> first_out = result.first.mutable_data<int8_t>();
  const std::span<int8_t> second_out = result.second.mutable_data<int8_t>();
  for_each_block(view, [&](int64_t first, int64_t last) {
    const std::vector<float> filters = view.gather(weight.data<float>(), first, last);
    std::vector<int8_t> q1(filters.size()), q2(filters.size());
    for (int64_t c = first; c < last; ++c) {
      const auto start = static_cast<size_t>(c - first) * size;
      ec_quantize(std::span(filters).subspan(start, size), params.scale[static_cast<size_t>(c)],
                  std::span(q1).subspan(start, size), std::span(q2).subspan(start, size));
    }
    view.scatter(q1, first, last, first_out);
    view.scatter(q2, first, last, second_out);
  });
  return result;
}

Tensor dequantize_weight(const Tensor& integers, const QParams& params) {
  return integers.dtype() == DType::kInt8 ? dequantize_as<int8_t>(integers, params)
                                          : dequantize_as<int16_t>(integers, params);
}

}  // namespace twofold
