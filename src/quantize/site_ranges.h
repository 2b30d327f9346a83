// What the channels of tensors hold, on the samples that searches run on.
#ifndef TWOFOLD_SRC_QUANTIZE_SITE_RANGES_H_
#define TWOFOLD_SRC_QUANTIZE_SITE_RANGES_H_

#include <map>
#include <vector>

#include "quantize/calibrated_model.h"
#include "quantize/equalization_sites.h"

namespace twofold {

// Smallest and largest number of each index of an axis, 0 included. NaN is passed over.
struct AxisRanges {
  std::vector<float> min, max;

  // Adds a float32 tensor in any layout. REQUIRES: the same number of indices every time.
  void observe(const Tensor& tensor, const ChannelAxis& axis);
  // The largest magnitude of each channel, which is `repeat` indices.
  std::vector<float> abs_max(int64_t repeat) const;
};

// A tensor, its channels divided by powers of two, and where to what it then holds is added.
struct ScaledTensorRequest {
  ValueId value = kNone;
  ChannelAxis axis;
  const std::vector<int>& exponents;  // per channel
  RangeStatistics& statistics;
};

// One run of the float model over the search samples. REQUIRES: float32 values.
void observe_scaled(CalibratedModel& model, const std::vector<ScaledTensorRequest>& requests);

// One run of the float model over the search samples. REQUIRES: float32 values.
std::map<ValueId, AxisRanges> observe_axes(CalibratedModel& model, const std::map<ValueId, ChannelAxis>& axes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SITE_RANGES_H_
