// Uninitialized bytes on a cache line boundary.
#ifndef TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
#define TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "twofold/tensor.h"

namespace twofold::kernels {

inline constexpr size_t kCacheLine = 64;

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // From `allocator`, or the heap without one.
  explicit AlignedBuffer(size_t bytes, Allocator* allocator = nullptr)
      : bytes_(bytes), data_(allocator != nullptr ? allocator->allocate(bytes) : from_heap(bytes)) {}

  AlignedBuffer(AlignedBuffer&&) = default;
  AlignedBuffer& operator=(AlignedBuffer&&) = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  // At least `bytes` bytes, with whatever content: the buffer is replaced if it is smaller.
  std::byte* at_least(size_t bytes) {
    if (bytes > bytes_) *this = AlignedBuffer(bytes);
    return data_.get();
  }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t size() const { return bytes_; }

 private:
  static std::shared_ptr<std::byte> from_heap(size_t bytes) {
    constexpr std::align_val_t kAlignment{kCacheLine};
    return {static_cast<std::byte*>(::operator new(bytes, kAlignment)),
            [](std::byte* data) { ::operator delete(data, kAlignment); }};
  }

  size_t bytes_ = 0;
  std::shared_ptr<std::byte> data_;
};

// Of a std::vector whose elements kernels load as whole vectors: a load that crosses cache lines costs two.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}  // NOLINT(google-explicit-constructor)
  T* allocate(size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kCacheLine})); }
  void deallocate(T* memory, size_t /*n*/) { ::operator delete (memory, std::align_val_t{kCacheLine}); }
  friend bool operator==(const CacheLineAllocator& /*a*/, const CacheLineAllocator& /*b*/) { return true; }
};
template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
