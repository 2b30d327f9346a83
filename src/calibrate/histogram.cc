#include "calibrate/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calibrate/histogram.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

// index = middle + floor(|x| / width) for sign bit 0, middle - 1 - floor(|x| / width) for sign bit 1.
void bin_indices(const float* HWY_RESTRICT x, size_t n, float inverse_width, int32_t middle,
                 int32_t* HWY_RESTRICT index) {
  for (size_t i = 0; i < n; ++i) {
    index[i] = static_cast<int32_t>(x[i] * inverse_width) + middle + (std::bit_cast<int32_t>(x[i]) >> 31);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(bin_indices);

// Elements whose bin indices stay in the first-level cache.
constexpr size_t kBlock = 1024;
// Arrays from this size on are worth the extra pass that adds the stripes up.
constexpr size_t kStripedSize = 16384;
// Consecutive elements go to different stripes: many are equal (zeros behind a Relu), and incrementing one counter
// again and again waits for the store before it.
constexpr int kStripes = 4;
// A stripe cannot overflow within so many elements.
constexpr size_t kStripedLimit = size_t{1} << 30;

using Stripes = std::array<std::array<uint32_t, Histogram::kBins>, kStripes>;

// The smallest exponent for which floor(largest / 2^exponent) < kBinsPerSide.
int exponent_for(float largest, int least) {
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent
  constexpr int kLogBins = std::countr_zero(static_cast<unsigned>(Histogram::kBinsPerSide));
  return largest == 0 ? least : std::max(exponent - kLogBins, least);
}

// Where a bin goes when `shift` times two neighbours become one. Both sides shrink towards the middle.
int shifted(int bin, int shift) {
  const int middle = Histogram::kBinsPerSide;
  return bin >= middle ? middle + ((bin - middle) >> shift) : middle - 1 - ((middle - 1 - bin) >> shift);
}

}  // namespace

double Histogram::bin_width() const { return std::ldexp(1.0, exponent_); }

void Histogram::count(std::span<const float> x, float largest) {
  if (x.empty()) return;
  if (counts_.empty()) counts_.resize(kBins);
  reserve(exponent_for(largest, exponent_));
  const int reach = static_cast<int>(largest * std::ldexp(1.0F, -exponent_)) + 1;
  first_ = std::min(first_, kBinsPerSide - reach);
  last_ = std::max(last_, kBinsPerSide + reach);
  if (x.size() < kStripedSize) return add_direct(x);
  for (size_t i = 0; i < x.size(); i += kStripedLimit) {
    add_striped(x.subspan(i, std::min(kStripedLimit, x.size() - i)), reach);
  }
}

void Histogram::add_direct(std::span<const float> x) {
  std::array<int32_t, kBlock> index;
  const float inverse = std::ldexp(1.0F, -exponent_);
  for (size_t start = 0; start < x.size(); start += kBlock) {
    const size_t n = std::min(kBlock, x.size() - start);
    HWY_DYNAMIC_DISPATCH(bin_indices)(x.data() + start, n, inverse, kBinsPerSide, index.data());
    for (size_t i = 0; i < n; ++i) ++counts_[static_cast<size_t>(index[i])];
  }
}

void Histogram::add_striped(std::span<const float> x, int reach) {
  static thread_local Stripes storage{};  // all 0 between calls
  Stripes& stripes = storage;
  std::array<int32_t, kBlock> index;
  const float inverse = std::ldexp(1.0F, -exponent_);
  for (size_t start = 0; start < x.size(); start += kBlock) {
    const size_t n = std::min(kBlock, x.size() - start);
    HWY_DYNAMIC_DISPATCH(bin_indices)(x.data() + start, n, inverse, kBinsPerSide, index.data());
    size_t i = 0;
    for (; i + kStripes <= n; i += kStripes) {
      for (size_t s = 0; s < kStripes; ++s) ++stripes[s][static_cast<size_t>(index[i + s])];
    }
    for (; i < n; ++i) ++stripes[0][static_cast<size_t>(index[i])];
  }
  for (auto& stripe : stripes) {
    for (int bin = kBinsPerSide - reach; bin < kBinsPerSide + reach; ++bin) {
      counts_[static_cast<size_t>(bin)] += stripe[static_cast<size_t>(bin)];
    }
    std::fill(stripe.begin() + kBinsPerSide - reach, stripe.begin() + kBinsPerSide + reach, 0);
  }
}

void Histogram::reserve(int exponent) {
  if (exponent <= exponent_) return;
  const int shift = std::min(exponent - exponent_, 30);
  exponent_ = exponent;
  // Bins move towards the middle, so going outwards never overwrites one that is still to be read.
  for (int bin = kBinsPerSide; bin < last_; ++bin) {
    const uint64_t n = std::exchange(counts_[static_cast<size_t>(bin)], 0);
    counts_[static_cast<size_t>(shifted(bin, shift))] += n;
  }
  for (int bin = kBinsPerSide - 1; bin >= first_; --bin) {
    const uint64_t n = std::exchange(counts_[static_cast<size_t>(bin)], 0);
    counts_[static_cast<size_t>(shifted(bin, shift))] += n;
  }
  if (last_ > kBinsPerSide) last_ = shifted(last_ - 1, shift) + 1;
  if (first_ < kBinsPerSide) first_ = shifted(first_, shift);
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.empty()) return;
  if (counts_.empty()) counts_.resize(kBins);
  reserve(other.exponent_);
  const int shift = std::min(exponent_ - other.exponent_, 30);
  if (shift == 0) {
    for (auto bin = static_cast<size_t>(other.first_); bin < static_cast<size_t>(other.last_); ++bin) {
      counts_[bin] += other.counts_[bin];
    }
  } else {
    for (int bin = other.first_; bin < other.last_; ++bin) {
      counts_[static_cast<size_t>(shifted(bin, shift))] += other.counts_[static_cast<size_t>(bin)];
    }
  }
  first_ = std::min(first_, shifted(other.first_, shift));
  last_ = std::max(last_, shifted(other.last_ - 1, shift) + 1);
}

void Histogram::clear() {
  std::fill(counts_.begin() + (counts_.empty() ? 0 : first_), counts_.begin() + (counts_.empty() ? 0 : last_), 0);
  exponent_ = kLeastExponent;
  first_ = last_ = kBinsPerSide;
}

std::vector<uint64_t> Histogram::magnitudes() const {
  if (counts_.empty()) return {};
  std::vector<uint64_t> sums(kBinsPerSide);
  for (size_t k = 0; k < sums.size(); ++k) sums[k] = counts_[kBinsPerSide + k] + counts_[kBinsPerSide - 1 - k];
  return sums;
}

void Histogram::write(ByteWriter& out) const {
  const bool any = last_ > first_;
  out.number(any ? 1 : 0);
  if (!any) return;
  out.number(static_cast<uint64_t>(exponent_ - kLeastExponent));
  out.number(static_cast<uint64_t>(first_));
  out.number(static_cast<uint64_t>(last_ - first_));
  for (int bin = first_; bin < last_; ++bin) out.number(counts_[static_cast<size_t>(bin)]);
}

Histogram Histogram::read(ByteReader& in) {
  Histogram result;
  if (in.number(1) == 0) return result;
  // The widest bins are those of the largest float.
  result.exponent_ =
      kLeastExponent + static_cast<int>(in.number(exponent_for(std::numeric_limits<float>::max(), 0) - kLeastExponent));
  result.first_ = static_cast<int>(in.number(kBinsPerSide));
  result.last_ = result.first_ + static_cast<int>(in.count(1));
  if (result.last_ < kBinsPerSide || result.last_ > kBins) in.fail("a histogram has bins outside its range");
  result.counts_.resize(kBins);
  for (int bin = result.first_; bin < result.last_; ++bin) {
    result.counts_[static_cast<size_t>(bin)] = in.number(std::numeric_limits<uint64_t>::max());
  }
  return result;
}

bool Histogram::operator==(const Histogram& other) const {
  const auto any = [](const Histogram& h) { return h.last_ > h.first_; };
  if (!any(*this) || !any(other)) return any(*this) == any(other);
  return exponent_ == other.exponent_ && counts_ == other.counts_;
}

}  // namespace twofold
#endif  // HWY_ONCE
