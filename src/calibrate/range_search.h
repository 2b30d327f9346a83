// From statistics to the range that is quantized: one pure function per method.
#ifndef TWOFOLD_SRC_CALIBRATE_RANGE_SEARCH_H_
#define TWOFOLD_SRC_CALIBRATE_RANGE_SEARCH_H_

#include "calibrate/range_statistics.h"
#include "numeric/range_method.h"
#include "twofold/dtype.h"

namespace twofold {

// What a method needs to be observed.
ObserveLevel observe_level(RangeMethod method);

struct RangeOptions {
  RangeMethod method = RangeMethod::kMax;
  double percentile = 1.0;  // share of the elements that is kept, 0.5 ... 1
  int num_bin = 1024;       // kl, at least 129: bins over the bulk of the values
  int max_num_bin = 16384;  // kl, at least 258: bins over all values

  auto operator<=>(const RangeOptions&) const = default;
};

// Throws Error(kInvalidArgument) naming the option that is out of its range.
void check_range_options(const RangeOptions& options);

struct Range {
  float min = 0;
  float max = 0;
};

// The symmetric threshold T >= 0: [-T, T] is quantized, the rest saturates. Never above statistics.abs_max(); 0 if
// nothing was seen.
//   max         the largest |x|.
//   percentile  the quantile of |x|, as numpy.quantile defines it (linear), each element placed inside its bin: off by
//               at most one bin width.
//   kl          the threshold whose 128 levels lose the least information against the distribution of |x| cut there
//               (S. Migacz, "8-bit inference with TensorRT", GTC 2017). For 16-bit operands: max.
//   mse         the threshold with the smallest mean squared quantization error, found on a geometric grid (8 per
//               octave down to 2^-10 of the largest) and a linear one around its best point.
// REQUIRES: is_integer(qtype), a histogram for all methods but max.
float search_threshold(const RangeStatistics& statistics, const RangeOptions& options, QType qtype);

// The range for asymmetric quantization; min <= 0 <= max is not enforced here (asymmetric_qparams does it).
// max: what was seen; percentile: the middle share of the elements, as much cut at either end; kl and mse: what was
// seen, cut to the symmetric threshold on both sides.
Range search_range(const RangeStatistics& statistics, const RangeOptions& options, QType qtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_RANGE_SEARCH_H_
