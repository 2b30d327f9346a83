#include "kernels/aligned_buffer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "kernels/counting_allocator.h"

namespace twofold::kernels {
namespace {

template <typename T>
bool is_on_cache_line(const AlignedVector<T>& v) {
  return reinterpret_cast<uintptr_t>(v.data()) % kCacheLine == 0;
}

TEST(AlignedVector, TakesItsElementsFromTheAllocatorAndGivesThemBack) {
  CountingAllocator allocator;
  {
    AlignedVector<int64_t> grown(&allocator);
    EXPECT_EQ(allocator.given, 0);
    for (int64_t i = 0; i < 100; ++i) grown.push_back(i);
    EXPECT_EQ(allocator.in_use, 1);
    EXPECT_TRUE(is_on_cache_line(grown));
    EXPECT_EQ(std::accumulate(grown.begin(), grown.end(), int64_t{0}), 4950);

    const AlignedVector<float> filled(33, 1.5F, &allocator);
    EXPECT_EQ(allocator.in_use, 2);
    EXPECT_TRUE(is_on_cache_line(filled));
  }
  EXPECT_EQ(allocator.in_use, 0);
}

TEST(AlignedVector, KeepsItsMemoryWhenItIsMoved) {
  CountingAllocator allocator;
  {
    AlignedVector<double> from(50, 0.25, &allocator);
    const double* const data = from.data();
    AlignedVector<double> moved(std::move(from));
    EXPECT_EQ(moved.data(), data);
    AlignedVector<double> assigned(7, 1.0);  // from the heap
    assigned = std::move(moved);
    EXPECT_EQ(assigned.data(), data);
    EXPECT_EQ(assigned.size(), 50U);
    EXPECT_EQ(allocator.given, 1);
    EXPECT_EQ(allocator.in_use, 1);
  }
  EXPECT_EQ(allocator.in_use, 0);
}

TEST(AlignedVector, IsOnTheHeapWithoutAnAllocator) {
  const AlignedVector<int32_t> zeros(100);
  EXPECT_TRUE(is_on_cache_line(zeros));
  EXPECT_EQ(zeros.get_allocator().allocator(), nullptr);
}

}  // namespace
}  // namespace twofold::kernels
