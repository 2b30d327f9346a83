// Quantiles of binned numbers.
#ifndef TWOFOLD_SRC_CALIBRATE_QUANTILE_H_
#define TWOFOLD_SRC_CALIBRATE_QUANTILE_H_

#include <cstdint>
#include <span>

namespace twofold {

// The q-quantile, 0 <= q <= 1, of sum(counts) numbers of which counts[k] lie in [origin + k, origin + k + 1) * width:
// between the order statistics around rank q (n - 1), linearly, as numpy.quantile does by default. The numbers of a bin
// count as evenly spread over it, so the result is off by at most `width`. 0 if there are no numbers.
double quantile(std::span<const uint64_t> counts, int64_t origin, double width, double q);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_QUANTILE_H_
