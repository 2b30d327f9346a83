// What calibration remembers of one value: its range, and how its numbers spread over it.
#ifndef TWOFOLD_SRC_CALIBRATE_RANGE_STATISTICS_H_
#define TWOFOLD_SRC_CALIBRATE_RANGE_STATISTICS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/histogram.h"
#include "twofold/tensor.h"

namespace twofold {

enum class ObserveLevel : uint8_t {
  kMinMax,     // enough for RangeMethod::kMax
  kHistogram,  // for every method; 128 KiB
};

// Statistics that do not grow with what they have seen, and that merge exactly: observing tensors in any order, in any
// split over any number of objects that are merged in any order, gives equal objects. Thread-safe as const.
class RangeStatistics {
 public:
  explicit RangeStatistics(ObserveLevel level = ObserveLevel::kMinMax, bool per_channel = false)
      : level_(level), per_channel_(per_channel) {}

  // Adds a float32 tensor in any layout; an empty one adds nothing. Per channel means along axis 1, and needs one
  // number of channels in all tensors. Throws Error(kInvalidArgument) on another dtype, on NaN and infinity, and on
  // a changed number of channels; the object may only be destroyed or cleared then.
  void observe(const Tensor& tensor);
  // What only one of the two has (a histogram, channels) is lost. Throws Error(kInvalidArgument) if the numbers of
  // channels differ.
  void merge(const RangeStatistics& other);
  // Forgets what was seen and keeps the memory.
  void clear();

  ObserveLevel level() const { return level_; }
  bool per_channel() const { return per_channel_; }
  // Number of elements seen. If it is 0, min() and max() are 0.
  uint64_t count() const { return count_; }
  float min() const { return min_; }
  float max() const { return max_; }
  // max |x|.
  float abs_max() const;
  // One entry per channel; empty if nothing was seen or not per channel.
  std::span<const float> channel_min() const { return channel_min_; }
  std::span<const float> channel_max() const { return channel_max_; }
  // Empty at level kMinMax.
  const Histogram& histogram() const { return histogram_; }

  void write(ByteWriter& out) const;
  // Throws Error(kInvalidArgument) for what write() does not make.
  static RangeStatistics read(ByteReader& in);

  bool operator==(const RangeStatistics& other) const = default;

 private:
  void observe_channels(const Tensor& tensor);
  void resize_channels(size_t channels);
  void widen(float low, float high, uint64_t count);

  ObserveLevel level_;
  bool per_channel_;
  uint64_t count_ = 0;
  float min_ = 0, max_ = 0;
  std::vector<float> channel_min_, channel_max_;
  Histogram histogram_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_RANGE_STATISTICS_H_
