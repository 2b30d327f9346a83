#include "numeric/ec.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

// Numbers in float32 between two steps: they stay in the first-level cache, and take no memory from the heap.
constexpr size_t kBlock = 1024;

// Calls body(begin, count) for blocks that cover [0, n).
template <typename Body>
void for_each_block(size_t n, const Body& body) {
  for (size_t begin = 0; begin < n; begin += kBlock) body(begin, std::min(kBlock, n - begin));
}

}  // namespace

void ec_join(std::span<const int8_t> q1, std::span<const int8_t> q2, std::span<int16_t> v) {
  TWOFOLD_CHECK(q1.size() == q2.size() && q1.size() == v.size());
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<int16_t>(kEcBase * q1[i] + q2[i]);
}

void ec_split(std::span<const int16_t> v, std::span<int8_t> q1, std::span<int8_t> q2) {
  TWOFOLD_CHECK(v.size() == q1.size() && v.size() == q2.size());
  std::array<float, kBlock> x;
  for_each_block(v.size(), [&](size_t begin, size_t count) {
    std::ranges::copy(v.subspan(begin, count), x.begin());
    quantize<int8_t>(std::span(x).first(count), static_cast<float>(kEcBase), 0, q1.subspan(begin, count));
  });
  for (size_t i = 0; i < v.size(); ++i) q2[i] = static_cast<int8_t>(v[i] - kEcBase * q1[i]);
}

}  // namespace twofold
