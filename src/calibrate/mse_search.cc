#include "calibrate/mse_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calibrate/mse_search.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

// Sum over k < n (a multiple of 8) of weights[k] * (x - quantized(x))^2 for x = k + 0.5, with steps of `step`, clipped
// at `limit` (all in bins).
double squared_error(const double* HWY_RESTRICT weights, size_t n, double step, double limit) {
  constexpr size_t kLanes = 8;
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, ties to even
  double sums[kLanes] = {};
  const double inverse = 1 / step;
  for (size_t k = 0; k < n; k += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double x = static_cast<double>(static_cast<int32_t>(k + lane)) + 0.5;
      double q = ((x * inverse + kMagic) - kMagic) * step;
      q = q < limit ? q : limit;
      sums[lane] += weights[k + lane] * ((x - q) * (x - q));
    }
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(squared_error);

// 2^(-i/8)
constexpr double kOctave[] = {1.0,
                              0.91700404320467121,
                              0.84089641525371450,
                              0.77110541270397037,
                              0.70710678118654752,
                              0.64841977732550483,
                              0.59460355750136053,
                              0.54525386633262879};
constexpr int kPerOctave = 8;
constexpr int kOctaves = 10;
constexpr int kRefinements = 16;

// The error of the numbers inside the threshold is step^2 / 12, of those outside what is cut off.
double fine_error(const std::vector<double>& weights, double step, double limit) {
  double inside = 0, outside = 0;
  for (size_t k = 0; k < weights.size(); ++k) {
    const double beyond = static_cast<double>(k) + 0.5 - limit;
    if (beyond <= 0) {
      inside += weights[k];
    } else {
      outside += weights[k] * (beyond * beyond);
    }
  }
  return inside * (step * step / 12) + outside;
}

}  // namespace

double mse_threshold(std::span<const uint64_t> magnitudes, double width, double largest,
                     const std::function<double(double)>& step_of) {
  std::vector<double> weights(magnitudes.begin(), magnitudes.end());
  while (!weights.empty() && weights.back() == 0) weights.pop_back();
  weights.resize((weights.size() + 7) / 8 * 8);
  double best = largest, best_error = std::numeric_limits<double>::infinity();
  const auto attempt = [&](double threshold) {
    const double step = step_of(threshold) / width, limit = threshold / width;
    const double error = step < 2 ? fine_error(weights, step, limit)
                                  : HWY_DYNAMIC_DISPATCH(squared_error)(weights.data(), weights.size(), step, limit);
    if (error < best_error) {
      best = threshold;
      best_error = error;
      return true;
    }
    return false;
  };
  const auto grid = [&](int i) { return std::ldexp(largest * kOctave[i % kPerOctave], -(i / kPerOctave)); };
  int best_index = 0;
  for (int i = 0; i <= kPerOctave * kOctaves; ++i) {
    if (attempt(grid(i))) best_index = i;
  }
  const double high = grid(std::max(best_index - 1, 0)), low = grid(best_index + 1);
  for (int i = 1; i < kRefinements; ++i) attempt(high - (high - low) * i / kRefinements);
  return best;
}

}  // namespace twofold
#endif  // HWY_ONCE
