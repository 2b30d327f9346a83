#include "calibrate/range_search.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/error.h"
#include "calibrate/kl_search.h"
#include "calibrate/mse_search.h"
#include "calibrate/quantile.h"
#include "numeric/qparams.h"

namespace twofold {

namespace {

// Levels of |x| in a symmetric 8-bit type.
constexpr int kInt8Levels = 128;

double percentile_threshold(const Histogram& histogram, double percentile) {
  return quantile(histogram.magnitudes(), 0, histogram.bin_width(), percentile);
}

double kl_threshold(const Histogram& histogram, const RangeOptions& options) {
  int joined = 1;
  std::vector<uint64_t> counts = join_bins(histogram.magnitudes(), options.num_bin, options.max_num_bin, joined);
  return kl_bins_to_keep(std::move(counts), kInt8Levels) * static_cast<double>(joined) * histogram.bin_width();
}

// Steps between 0 and the threshold, as in symmetric_scale; ec rounds to its second digit.
double symmetric_steps(QType qtype) { return qtype == QType::kInt8 ? 127 : qtype == QType::kInt16 ? 32767 : 127 * 254; }

void check_input(const RangeStatistics& statistics, const RangeOptions& options, QType qtype) {
  check_range_options(options);
  TWOFOLD_CHECK(is_integer(qtype));
  TWOFOLD_CHECK(options.method == RangeMethod::kMax || statistics.level() == ObserveLevel::kHistogram);
}

// `steps` cover the two cut ends together where `both_sides`, else the threshold.
double mse_threshold_of(const RangeStatistics& statistics, double steps, bool both_sides) {
  const double low = -static_cast<double>(statistics.min()), high = statistics.max();
  return mse_threshold(statistics.histogram().magnitudes(), statistics.histogram().bin_width(), statistics.abs_max(),
                       [&](double threshold) {
                         if (!both_sides) return threshold / steps;
                         return (std::clamp(low, 0.0, threshold) + std::clamp(high, 0.0, threshold)) / steps;
                       });
}

// A threshold as a float that is not above the largest number.
float at_most(double threshold, float largest) { return static_cast<float>(std::min<double>(threshold, largest)); }

}  // namespace

ObserveLevel observe_level(RangeMethod method) {
  return method == RangeMethod::kMax ? ObserveLevel::kMinMax : ObserveLevel::kHistogram;
}

void check_range_options(const RangeOptions& options) {
  if (!(options.percentile >= 0.5 && options.percentile <= 1.0)) {
    throw_error(ErrorCode::kInvalidArgument, "max_percentile is {}; it must be from 0.5 to 1", options.percentile);
  }
  if (options.num_bin < 129) {
    throw_error(ErrorCode::kInvalidArgument, "num_bin is {}; it must be at least 129", options.num_bin);
  }
  if (options.max_num_bin < 258) {
    throw_error(ErrorCode::kInvalidArgument, "max_num_bin is {}; it must be at least 258", options.max_num_bin);
  }
}

float search_threshold(const RangeStatistics& statistics, const RangeOptions& options, QType qtype) {
  check_input(statistics, options, qtype);
  const float largest = statistics.abs_max();
  if (largest == 0) return 0;
  switch (options.method) {
    case RangeMethod::kMax: return largest;
    case RangeMethod::kPercentile:
      if (options.percentile == 1.0) return largest;
      return at_most(percentile_threshold(statistics.histogram(), options.percentile), largest);
    case RangeMethod::kKl:
      return is_16bit(qtype) ? largest : at_most(kl_threshold(statistics.histogram(), options), largest);
    case RangeMethod::kMse: return at_most(mse_threshold_of(statistics, symmetric_steps(qtype), false), largest);
  }
  return largest;
}

Range search_range(const RangeStatistics& statistics, const RangeOptions& options, QType qtype) {
  check_input(statistics, options, qtype);
  const float min = statistics.min(), max = statistics.max();
  if (options.method == RangeMethod::kMax || statistics.abs_max() == 0) return {min, max};
  if (options.method == RangeMethod::kPercentile) {
    const Histogram& histogram = statistics.histogram();
    const auto cut = [&](double q) {
      const double found = quantile(histogram.counts(), -Histogram::kBinsPerSide, histogram.bin_width(), q);
      return static_cast<float>(std::clamp<double>(found, min, max));
    };
    const double rest = (1 - options.percentile) / 2;
    return rest == 0 ? Range{min, max} : Range{cut(rest), cut(1 - rest)};
  }
  float threshold = 0;
  if (options.method == RangeMethod::kMse) {
    const double steps = static_cast<double>(qmax(qtype)) - qmin(qtype);
    threshold = at_most(mse_threshold_of(statistics, steps, true), statistics.abs_max());
  } else {
    threshold = search_threshold(statistics, options, qtype);
  }
  return {std::clamp(min, -threshold, threshold), std::clamp(max, -threshold, threshold)};
}

}  // namespace twofold
