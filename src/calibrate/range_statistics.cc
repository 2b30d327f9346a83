#include "calibrate/range_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "base/error.h"
#include "numeric/float_range.h"

namespace twofold {

namespace {

// Elements that are read twice, for the range and for the histogram, while they are in the second-level cache.
constexpr size_t kBlock = 262144;

[[noreturn]] void throw_not_finite(std::span<const float> x) {
  const auto it = std::find_if(x.begin(), x.end(), [](float v) { return !std::isfinite(v); });
  throw_error(ErrorCode::kInvalidArgument, "holds {}", it != x.end() && std::isnan(*it) ? "NaN" : "infinity");
}

}  // namespace

float RangeStatistics::abs_max() const { return std::max(std::fabs(min_), std::fabs(max_)); }

void RangeStatistics::observe(const Tensor& tensor) {
  if (tensor.dtype() != DType::kFloat32) {
    throw_error(ErrorCode::kInvalidArgument, "is {}, but only float32 has a range to calibrate",
                to_string(tensor.dtype()));
  }
  if (tensor.size() == 0) return;
  if (per_channel_) observe_channels(tensor);
  const std::span<const float> x = tensor.data<float>();
  for (size_t start = 0; start < x.size(); start += kBlock) {
    const std::span<const float> block = x.subspan(start, std::min(kBlock, x.size() - start));
    const FloatRange range = float_range(block);
    if (!range.finite) throw_not_finite(block);
    if (level_ == ObserveLevel::kHistogram) {
      histogram_.count(block, std::max(std::fabs(range.min), std::fabs(range.max)));
    }
    widen(range.min, range.max, block.size());
  }
}

void RangeStatistics::widen(float low, float high, uint64_t count) {
  min_ = count_ == 0 ? low : least(min_, low);
  max_ = count_ == 0 ? high : greatest(max_, high);
  count_ += count;
}

void RangeStatistics::observe_channels(const Tensor& tensor) {
  if (tensor.rank() < 2) {
    throw_error(ErrorCode::kInvalidArgument, "has shape {}, which has no channel axis; calibrate it per tensor",
                to_string(tensor.shape()));
  }
  const auto channels = static_cast<size_t>(tensor.dim(1));
  resize_channels(channels);
  const std::span<const float> x = tensor.data<float>();
  const size_t row = x.size() / static_cast<size_t>(tensor.dim(0)) / channels;
  widen_channels(x, tensor.layout() == Layout::kChannelsLast ? 1 : row, channel_min_, channel_max_);
}

void RangeStatistics::resize_channels(size_t channels) {
  if (channel_min_.empty()) {
    channel_min_.assign(channels, std::numeric_limits<float>::infinity());
    channel_max_.assign(channels, -std::numeric_limits<float>::infinity());
  } else if (channel_min_.size() != channels) {
    throw_error(ErrorCode::kInvalidArgument, "has {} channels in one sample and {} in another; calibrate it per tensor",
                channel_min_.size(), channels);
  }
}

void RangeStatistics::merge(const RangeStatistics& other) {
  if (level_ > other.level_) {
    level_ = other.level_;
    histogram_ = Histogram();
  }
  if (per_channel_ && !other.per_channel_) {
    per_channel_ = false;
    channel_min_.clear();
    channel_max_.clear();
  }
  if (other.count_ == 0) return;
  if (per_channel_) {
    resize_channels(other.channel_min_.size());
    for (size_t c = 0; c < channel_min_.size(); ++c) {
      channel_min_[c] = least(channel_min_[c], other.channel_min_[c]);
      channel_max_[c] = greatest(channel_max_[c], other.channel_max_[c]);
    }
  }
  if (level_ == ObserveLevel::kHistogram) histogram_.merge(other.histogram_);
  widen(other.min_, other.max_, other.count_);
}

void RangeStatistics::clear() {
  count_ = 0;
  min_ = max_ = 0;
  channel_min_.clear();
  channel_max_.clear();
  histogram_.clear();
}

void RangeStatistics::write(ByteWriter& out) const {
  out.number(static_cast<uint64_t>(level_));
  out.number(per_channel_ ? 1 : 0);
  out.number(count_);
  out.real(min_);
  out.real(max_);
  if (per_channel_) {
    out.number(channel_min_.size());
    for (size_t c = 0; c < channel_min_.size(); ++c) {
      out.real(channel_min_[c]);
      out.real(channel_max_[c]);
    }
  }
  if (level_ == ObserveLevel::kHistogram) histogram_.write(out);
}

RangeStatistics RangeStatistics::read(ByteReader& in) {
  const auto level = static_cast<ObserveLevel>(in.number(static_cast<uint64_t>(ObserveLevel::kHistogram)));
  RangeStatistics result(level, in.number(1) == 1);
  result.count_ = in.number(std::numeric_limits<uint64_t>::max());
  const auto read_range = [&in](float& low, float& high) {
    low = in.real();
    high = in.real();
    if (!(std::isfinite(low) && std::isfinite(high) && low <= high)) in.fail("a range is none");
  };
  read_range(result.min_, result.max_);
  if (result.per_channel_) {
    result.channel_min_.resize(in.count(8));
    result.channel_max_.resize(result.channel_min_.size());
    for (size_t c = 0; c < result.channel_min_.size(); ++c) read_range(result.channel_min_[c], result.channel_max_[c]);
  }
  if (level == ObserveLevel::kHistogram) {
    result.histogram_ = Histogram::read(in);
    const std::span<const uint64_t> counts = result.histogram_.counts();
    if (std::accumulate(counts.begin(), counts.end(), uint64_t{0}) != result.count_) {
      in.fail("a histogram has another number of elements than its range");
    }
  }
  return result;
}

}  // namespace twofold
