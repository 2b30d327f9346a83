// A histogram of real numbers that can be grown and merged without any rounding.
//
// The bins of each sign have the width 2^exponent, and the exponent is the smallest one for which every number seen
// fits. A wider histogram holds exactly the sums of neighbouring bins of a narrower one, since
// floor(floor(|x| / w) / 2) = floor(|x| / 2w) and products with powers of two do not round. So the counts depend only
// on the numbers seen: not on their order, nor on how they were shared among threads or machines.
#ifndef TWOFOLD_SRC_CALIBRATE_HISTOGRAM_H_
#define TWOFOLD_SRC_CALIBRATE_HISTOGRAM_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_stream.h"

namespace twofold {

class Histogram {
 public:
  static constexpr int kBinsPerSide = 8192;
  static constexpr int kBins = 2 * kBinsPerSide;

  // Counts every x. `largest` is the largest |x| among them. REQUIRES: x finite.
  void count(std::span<const float> x, float largest);
  void merge(const Histogram& other);
  // Forgets what was seen and keeps the memory.
  void clear();

  // 2^exponent, the width of a bin.
  double bin_width() const;
  // Bin kBinsPerSide + k counts the x with sign bit 0 and k w <= x < (k + 1) w; bin kBinsPerSide - 1 - k those with
  // sign bit 1 and k w <= |x| < (k + 1) w. Empty where nothing was seen.
  std::span<const uint64_t> counts() const { return counts_; }
  // kBinsPerSide counts of |x|; empty where nothing was seen.
  std::vector<uint64_t> magnitudes() const;

  void write(ByteWriter& out) const;
  // Throws Error(kInvalidArgument) for what write() does not make.
  static Histogram read(ByteReader& in);

  bool operator==(const Histogram& other) const;

 private:
  void reserve(int exponent);
  void add_direct(std::span<const float> x);
  void add_striped(std::span<const float> x, int reach);

  // Below, bins would be narrower than a denormal's last bit scaled into a normal float.
  static constexpr int kLeastExponent = -126;

  int exponent_ = kLeastExponent;
  int first_ = kBinsPerSide, last_ = kBinsPerSide;  // counts outside [first, last) are 0
  std::vector<uint64_t> counts_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_HISTOGRAM_H_
