// Arrays with one scale or one per channel, cut into what threads work on.
#ifndef TWOFOLD_SRC_NUMERIC_CHANNEL_RANGES_H_
#define TWOFOLD_SRC_NUMERIC_CHANNEL_RANGES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/cancellation.h"
#include "base/parallel_for.h"
#include "numeric/channel_scales.h"

namespace twofold {

// Smaller arrays are not worth another thread.
inline constexpr int64_t kElementsPerThread = 1 << 15;

// Of a parallel_for over `parts` of so many elements: all threads work on them or one, since OpenMP's runtime ends
// threads that a smaller team leaves over, and whatever runs next, PyTorch say, starts them again.
inline int64_t grain_of(int64_t elements, int64_t parts) { return elements < 2 * kElementsPerThread ? parts : 1; }

// Milliseconds of work, after which it is asked whether the job is still wanted.
inline constexpr int64_t kElementsPerQuestion = 1 << 22;

// Shorter runs of one channel are not worth a vector loop each.
inline constexpr int64_t kLongRun = 64;
inline bool in_short_runs(const ChannelScales& scales) { return scales.channels > 1 && scales.inner < kLongRun; }

// Each number `times` times.
template <typename T>
std::vector<T> repeated(std::span<const T> numbers, int64_t times) {
  std::vector<T> result;
  result.reserve(numbers.size() * static_cast<size_t>(times));
  for (const T number : numbers) result.insert(result.end(), static_cast<size_t>(times), number);
  return result;
}

// Calls body(scales, begin, end) on ranges of elements. Channels of short runs become channels of single elements.
template <typename Body>
void for_each_range(const ChannelScales& scales, const Body& body) {
  if (in_short_runs(scales) && scales.inner > 1) {
    const std::vector<float> scale = repeated(scales.scale, scales.inner);
    const std::vector<int32_t> zero_point = repeated(scales.zero_point, scales.inner);
    return for_each_range(ChannelScales({scales.outer, std::ssize(scale)}, 1, scale, zero_point), body);
  }
  parallel_for(scales.size(), grain_of(scales.size(), scales.size()), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kElementsPerQuestion) {
      if (at > begin) throw_if_cancelled();
      body(scales, static_cast<size_t>(at), static_cast<size_t>(std::min(at + kElementsPerQuestion, end)));
    }
  });
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_CHANNEL_RANGES_H_
