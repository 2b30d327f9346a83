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
    for (int64_t i = 0; i < 10000; ++i) grown.push_back(i);
    EXPECT_EQ(allocator.in_use, 1);
    EXPECT_TRUE(is_on_cache_line(grown));
    EXPECT_EQ(std::accumulate(grown.begin(), grown.end(), int64_t{0}), 49995000);

    const AlignedVector<float> filled(1033, 1.5F, &allocator);
    EXPECT_EQ(allocator.in_use, 2);
    EXPECT_TRUE(is_on_cache_line(filled));
  }
  EXPECT_EQ(allocator.in_use, 0);
}

TEST(AlignedVector, KeepsItsMemoryWhenItIsMoved) {
  CountingAllocator allocator;
  {
    AlignedVector<double> from(600, 0.25, &allocator);
    const double* const data = from.data();
    AlignedVector<double> moved(std::move(from));
    EXPECT_EQ(moved.data(), data);
    AlignedVector<double> assigned(7, 1.0);  // from the heap
    assigned = std::move(moved);
    EXPECT_EQ(assigned.data(), data);
    EXPECT_EQ(assigned.size(), 600U);
    EXPECT_EQ(allocator.given, 1);
    EXPECT_EQ(allocator.in_use, 1);
  }
  EXPECT_EQ(allocator.in_use, 0);
}

TEST(AlignedVector, IsOnTheHeapWhereItIsSmall) {
  CountingAllocator allocator;
  AlignedVector<int64_t> numbers(kLeastShared / sizeof(int64_t) - 1, 7, &allocator);
  EXPECT_TRUE(is_on_cache_line(numbers));
  EXPECT_EQ(allocator.given, 0);
  numbers.push_back(8);
  EXPECT_EQ(allocator.in_use, 1);
  EXPECT_EQ(numbers.front(), 7);
  EXPECT_EQ(numbers.back(), 8);
}

TEST(AlignedBuffer, IsOnTheHeapWhereItIsSmall) {
  CountingAllocator allocator;
  const AlignedBuffer small(kLeastShared - 1, &allocator);
  EXPECT_EQ(allocator.given, 0);
  const AlignedBuffer large(kLeastShared, &allocator);
  EXPECT_EQ(allocator.in_use, 1);
}

TEST(AlignedVector, IsOnTheHeapWithoutAnAllocator) {
  const AlignedVector<int32_t> zeros(100);
  EXPECT_TRUE(is_on_cache_line(zeros));
  EXPECT_EQ(zeros.get_allocator().allocator(), nullptr);
}

}  // namespace
}  // namespace twofold::kernels
