#include "calibrate/kl_search.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "calibrate/quantile.h"

namespace twofold {

namespace {

// So many thresholds are compared; where there are more, every n-th first, then those around the best.
constexpr size_t kCoarseCandidates = 512;

// The part of the numbers, the smallest ones, that num_bin bins are for.
constexpr double kBulk = 0.999;

// ln x for x > 0, to about 1e-16 of max(1, |ln x|): neither the platform's, so that every machine finds the same
// threshold, nor that of the operators, which is as exact as float32 needs.
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // in [0.5, 1)
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 artanh(s), |s| < 0.1716
  const double s = (m - 1) / (m + 1), square = s * s;
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * 0.69314718055994531 + 2 * s * sum;
}

// x ln x
double entropy_term(double x) { return x > 0 ? x * natural_log(x) : 0; }

// sums[k] holds what counts[0, k) add up to.
struct PrefixSums {
  explicit PrefixSums(const std::vector<uint64_t>& counts)
      : mass(counts.size() + 1), used(counts.size() + 1), entropy(counts.size() + 1) {
    for (size_t k = 0; k < counts.size(); ++k) {
      const auto count = static_cast<double>(counts[k]);
      mass[k + 1] = mass[k] + count;
      used[k + 1] = used[k] + (counts[k] > 0 ? 1 : 0);
      entropy[k + 1] = entropy[k] + entropy_term(count);
    }
  }
  std::vector<double> mass, used, entropy;
};

// KL(P || Q) for `kept` bins. Where outliers fall into a level that Q has nothing in, Q counts as half a number, so
// that the divergence stays finite and grows with the outliers.
double divergence(const std::vector<uint64_t>& counts, const PrefixSums& sums, size_t kept, size_t levels) {
  const double total = sums.mass.back();
  const double outliers = total - sums.mass[kept];
  double kept_mass = sums.mass[kept];
  const auto last_count = static_cast<double>(counts[kept - 1]);
  double cross = 0;  // total * sum of p ln(q * kept_mass)
  for (size_t level = 0; level < levels; ++level) {
    const size_t begin = level * kept / levels, end = (level + 1) * kept / levels;
    const double mass = sums.mass[end] - sums.mass[begin];
    const double added = end == kept ? outliers : 0;
    if (mass + added == 0) continue;
    if (mass == 0) kept_mass += 0.5;
    const double used = sums.used[end] - sums.used[begin] + (added > 0 && last_count == 0 ? 1 : 0);
    cross += (mass + added) * natural_log((mass == 0 ? 0.5 : mass) / used);
  }
  const double own = sums.entropy[kept - 1] + entropy_term(last_count + outliers);
  return (own - cross) / total - natural_log(total) + natural_log(kept_mass);
}

}  // namespace

std::vector<uint64_t> join_bins(std::span<const uint64_t> magnitudes, int num_bin, int max_num_bin, int& joined) {
  TWOFOLD_CHECK(num_bin > 0 && max_num_bin > 0);
  size_t size = magnitudes.size();
  while (size > 0 && magnitudes[size - 1] == 0) --size;
  const double bulk = quantile(magnitudes, 0, 1.0, kBulk);
  const auto most = static_cast<size_t>(max_num_bin);
  const size_t factor = std::max({size_t{1}, static_cast<size_t>(bulk / num_bin), (size + most - 1) / most});
  std::vector<uint64_t> counts((size + factor - 1) / factor);
  for (size_t k = 0; k < size; ++k) counts[k / factor] += magnitudes[k];
  joined = static_cast<int>(factor);
  return counts;
}

int kl_bins_to_keep(std::vector<uint64_t> counts, int levels) {
  TWOFOLD_CHECK(levels > 0);
  const auto all = counts.size(), least = static_cast<size_t>(levels);
  if (all <= least) return static_cast<int>(all);
  counts[0] = counts[1];
  const PrefixSums sums(counts);
  size_t best = all;
  double best_divergence = divergence(counts, sums, all, least);
  const auto attempt = [&](size_t first, size_t last, size_t step) {
    for (size_t kept = last; kept >= first && kept <= last; kept -= step) {
      if (sums.mass[kept] == 0) break;
      const double found = divergence(counts, sums, kept, least);
      if (found < best_divergence) {
        best = kept;
        best_divergence = found;
      }
    }
  };
  const size_t step = (all - least) / kCoarseCandidates + 1;
  attempt(least, all, step);
  if (step > 1) attempt(std::max(least, best - std::min(best, step - 1)), std::min(all, best + step - 1), 1);
  return static_cast<int>(best);
}

}  // namespace twofold
