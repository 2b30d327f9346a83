#include "calibrate/quantile.h"

#include <cmath>
#include <cstddef>
#include <numeric>

namespace twofold {

namespace {

// Where the number of a rank (from 0) lies.
double position(std::span<const uint64_t> counts, int64_t origin, double width, double rank) {
  double before = 0;
  size_t bin = 0;
  while (bin + 1 < counts.size() && before + static_cast<double>(counts[bin]) <= rank) {
    before += static_cast<double>(counts[bin++]);
  }
  const double inside = (rank - before + 0.5) / static_cast<double>(counts[bin]);
  return (static_cast<double>(origin + static_cast<int64_t>(bin)) + inside) * width;
}

}  // namespace

double quantile(std::span<const uint64_t> counts, int64_t origin, double width, double q) {
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (total == 0) return 0;
  const double rank = q * static_cast<double>(total - 1);
  const double below = std::floor(rank);
  const double low = position(counts, origin, width, below);
  if (rank == below) return low;
  return low + (rank - below) * (position(counts, origin, width, below + 1) - low);
}

}  // namespace twofold
