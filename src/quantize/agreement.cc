#include "quantize/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize/agreement.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kLanes = 16;

// Adds how many elements are equal to `equal`, and raises `largest` to the largest difference of the others. Without
// branches, so that it becomes vector code; counts fit their type as long as n < 2^31.
void compare_block(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t n, uint64_t& equal,
                   double& largest) {
  int32_t counts[kLanes] = {};
  double differences[kLanes] = {};
  const auto compare = [&](size_t i, size_t lane) {
    const float x = a[i], y = b[i];
    const bool same = (x == y) | ((x != x) & (y != y));
    const double difference = std::fabs(static_cast<double>(x) - static_cast<double>(y));
    counts[lane] += same ? 1 : 0;
    // Equal infinities differ by NaN, which is not larger than anything.
    differences[lane] = difference > differences[lane] ? difference : differences[lane];
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) compare(i + lane, lane);
  }
  for (; i < n; ++i) compare(i, 0);
  for (size_t lane = 0; lane < kLanes; ++lane) {
    equal += static_cast<uint64_t>(counts[lane]);
    largest = std::max(largest, differences[lane]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(compare_block);

constexpr size_t kBlock = size_t{1} << 24;

}  // namespace

void Agreement::add(std::span<const float> a, std::span<const float> b) {
  TWOFOLD_CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); i += kBlock) {
    HWY_DYNAMIC_DISPATCH(compare_block)(a.data() + i, b.data() + i, std::min(kBlock, a.size() - i), equal_, largest_);
  }
  total_ += a.size();
}

double Agreement::equal_share() const {
  return total_ == 0 ? 1.0 : static_cast<double>(equal_) / static_cast<double>(total_);
}

}  // namespace twofold
#endif  // HWY_ONCE
