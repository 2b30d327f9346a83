#include "numeric/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/metrics.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Partial sums. Element i goes to sum i % kLanes, whatever the width of the machine's vectors.
constexpr size_t kLanes = 16;
// So many rows of kLanes elements are added to one vector's worth of sums before the next, which thus stay in
// registers.
constexpr size_t kRows = 64;

struct Lanes {
  double aa[kLanes], bb[kLanes], ab[kLanes], squared[kLanes], absolute[kLanes], relative[kLanes], largest[kLanes];
  double nonzero[kLanes];
};

// Adds rows of kLanes elements to the sums.
void add_rows(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t rows, Lanes& HWY_RESTRICT lanes) {
  const hn::CappedTag<double, kLanes> d;
  const hn::Rebind<float, decltype(d)> df;
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0), least = hn::Set(d, 1e-12);
  for (size_t j = 0; j < kLanes; j += hn::Lanes(d)) {
    const auto load = [&](const double* sums) { return hn::LoadU(d, sums + j); };
    auto aa = load(lanes.aa), bb = load(lanes.bb), ab = load(lanes.ab), squared = load(lanes.squared);
    auto absolute = load(lanes.absolute), relative = load(lanes.relative), largest = load(lanes.largest);
    auto nonzero = load(lanes.nonzero);
    for (size_t row = 0; row < rows; ++row) {
      const auto x = hn::PromoteTo(d, hn::LoadU(df, a + row * kLanes + j));
      const auto y = hn::PromoteTo(d, hn::LoadU(df, b + row * kLanes + j));
      const auto difference = hn::Sub(x, y);
      const auto error = hn::Abs(difference), magnitude = hn::Abs(x);
      const auto divisor = hn::IfThenElse(hn::Gt(magnitude, least), magnitude, least);
      const auto counts = hn::IfThenElse(hn::Ne(x, zero), one, zero);
      aa = hn::Add(aa, hn::Mul(x, x));
      bb = hn::Add(bb, hn::Mul(y, y));
      ab = hn::Add(ab, hn::Mul(x, y));
      squared = hn::Add(squared, hn::Mul(difference, difference));
      absolute = hn::Add(absolute, error);
      relative = hn::Add(relative, hn::Mul(hn::Div(error, divisor), counts));
      largest = hn::IfThenElse(hn::Gt(error, largest), error, largest);
      nonzero = hn::Add(nonzero, counts);
    }
    const auto store = [&](const auto& vector, double* sums) { hn::StoreU(vector, d, sums + j); };
    store(aa, lanes.aa);
    store(bb, lanes.bb);
    store(ab, lanes.ab);
    store(squared, lanes.squared);
    store(absolute, lanes.absolute);
    store(relative, lanes.relative);
    store(largest, lanes.largest);
    store(nonzero, lanes.nonzero);
  }
}

inline double reduce_sum(double* lanes) {
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

// sums: aa, bb, ab, squared, absolute, relative, nonzero, largest.
void sum_errors(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t n, double* HWY_RESTRICT sums) {
  Lanes lanes{};
  const size_t whole = n / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kRows * kLanes) {
    add_rows(a + i, b + i, std::min(kRows, (whole - i) / kLanes), lanes);
  }
  // Pairs of zeros add nothing to any sum.
  float last_a[kLanes] = {}, last_b[kLanes] = {};
  for (size_t i = whole; i < n; ++i) {
    last_a[i - whole] = a[i];
    last_b[i - whole] = b[i];
  }
  add_rows(last_a, last_b, 1, lanes);
  double* const fields[] = {lanes.aa, lanes.bb, lanes.ab, lanes.squared, lanes.absolute, lanes.relative, lanes.nonzero};
  for (size_t i = 0; i < 7; ++i) sums[i] = reduce_sum(fields[i]);
  sums[7] = 0;
  for (double error : lanes.largest) sums[7] = error > sums[7] ? error : sums[7];
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(sum_errors);

constexpr double kInfinity = std::numeric_limits<double>::infinity();

size_t index_of(Metric metric) { return static_cast<size_t>(metric); }

}  // namespace

std::string_view to_string(Metric metric) {
  switch (metric) {
    case Metric::kCosineSimilarity: return "cosine-similarity";
    case Metric::kMse: return "mse";
    case Metric::kMae: return "mae";
    case Metric::kMre: return "mre";
    case Metric::kSqnr: return "sqnr";
    case Metric::kChebyshev: return "chebyshev";
  }
  return "cosine-similarity";
}

std::optional<Metric> parse_metric(std::string_view text) {
  for (Metric metric : kAllMetrics) {
    if (text == to_string(metric)) return metric;
  }
  return std::nullopt;
}

bool better(Metric metric, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
  const bool more_is_better = metric == Metric::kCosineSimilarity || metric == Metric::kSqnr;
  return more_is_better ? a > b : a < b;
}

void ErrorSums::add(std::span<const float> a, std::span<const float> b) {
  TWOFOLD_CHECK(a.size() == b.size());
  double sums[8] = {};
  HWY_DYNAMIC_DISPATCH(sum_errors)(a.data(), b.data(), a.size(), sums);
  aa_ += sums[0];
  bb_ += sums[1];
  ab_ += sums[2];
  squared_ += sums[3];
  absolute_ += sums[4];
  relative_ += sums[5];
  nonzero_ += static_cast<uint64_t>(sums[6]);
  largest_ = std::max(largest_, sums[7]);
  count_ += a.size();
}

void ErrorSums::merge(const ErrorSums& other) {
  aa_ += other.aa_;
  bb_ += other.bb_;
  ab_ += other.ab_;
  squared_ += other.squared_;
  absolute_ += other.absolute_;
  relative_ += other.relative_;
  largest_ = std::max(largest_, other.largest_);
  count_ += other.count_;
  nonzero_ += other.nonzero_;
}

double ErrorSums::value(Metric metric) const {
  const double count = count_ == 0 ? 1.0 : static_cast<double>(count_);
  switch (metric) {
    case Metric::kCosineSimilarity:
      if (aa_ == 0 && bb_ == 0) return 1;
      if (aa_ == 0 || bb_ == 0) return 0;
      // Exactly 1 for equal tensors: the root of a rounded square is exact.
      return std::min(ab_ / std::sqrt(aa_ * bb_), 1.0);
    case Metric::kMse: return squared_ / count;
    case Metric::kMae: return absolute_ / count;
    case Metric::kMre: return nonzero_ == 0 ? 0 : relative_ / static_cast<double>(nonzero_);
    case Metric::kSqnr: return squared_ == 0 ? kInfinity : 10 * std::log10(aa_ / squared_);
    // A comparison with NaN is false, so the maximum does not see it; the sum does.
    case Metric::kChebyshev: return std::isnan(absolute_) ? absolute_ : largest_;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void MetricMeans::add(const ErrorSums& sample) {
  for (Metric metric : kAllMetrics) sums_[index_of(metric)] += sample.value(metric);
  ++count_;
}

void MetricMeans::merge(const MetricMeans& other) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
  count_ += other.count_;
}

double MetricMeans::mean(Metric metric) const { return sums_[index_of(metric)] / static_cast<double>(count_); }

}  // namespace twofold
#endif  // HWY_ONCE
