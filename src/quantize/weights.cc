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
#include "numeric/channel_scales.h"
#include "numeric/quantize.h"
#include "numeric/quantize_tensor.h"

namespace twofold {

namespace {

// The filters of a weight: what each of its channels multiplies, strewn over it in runs.
struct Filters {
  int64_t outer, channels, inner;

  size_t size() const { return static_cast<size_t>(outer * inner); }

  // Those of channels [first, last), one after the other.
  template <typename T>
  std::vector<T> gather(std::span<const T> weight, int64_t first, int64_t last) const {
    std::vector<T> filters(static_cast<size_t>(last - first) * size());
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
void for_each_block(const Filters& filters, const Body& body) {
  const int64_t blocks = (filters.channels + kFiltersPerBlock - 1) / kFiltersPerBlock;
  const int64_t block_size = kFiltersPerBlock * static_cast<int64_t>(filters.size());
  parallel_for(blocks, kParallelElements / std::max<int64_t>(block_size, 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      throw_if_cancelled();
      body(b * kFiltersPerBlock, std::min(filters.channels, (b + 1) * kFiltersPerBlock));
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

// The sums of all filters kept; q holds the nearest integers.
template <typename T>
void preserve_sums(const Tensor& weight, const QParams& params, Tensor& q) {
  const ChannelScales scales(weight.shape(), params);
  const Filters filters{scales.outer, scales.channels, scales.inner};
  const std::span<T> out = q.mutable_data<T>();
  for_each_block(filters, [&](int64_t first, int64_t last) {
    const std::vector<float> real = filters.gather(weight.data<float>(), first, last);
    std::vector<T> integers = filters.gather(std::span<const T>(out), first, last);
    for (int64_t c = first; c < last; ++c) {
      const size_t start = static_cast<size_t>(c - first) * filters.size();
      preserve_sum<T>(std::span(real).subspan(start, filters.size()), scales.scale[static_cast<size_t>(c)],
                      std::span(integers).subspan(start, filters.size()));
    }
    filters.scatter(integers, first, last, out);
  });
}

}  // namespace

QParams weight_qparams(const Tensor& weight, int axis, QType qtype) {
  return {qtype, axis, weight_scales(weight, axis, qtype), {}};
}

Tensor quantize_weight(const Tensor& weight, const QParams& params, Rounding rounding) {
  TWOFOLD_CHECK(params.qtype == QType::kInt8 || params.qtype == QType::kInt16);
  Tensor q = quantize(weight, params);
  if (rounding == Rounding::kPreserveSum) {
    params.qtype == QType::kInt8 ? preserve_sums<int8_t>(weight, params, q) : preserve_sums<int16_t>(weight, params, q);
  }
  return q;
}

}  // namespace twofold
