// Memory on a cache line boundary, from an allocator or the heap: uninitialized bytes, and vectors. Blocks of less than
// kLeastShared bytes are always from the heap.
#ifndef TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
#define TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "twofold/tensor.h"

namespace twofold::kernels {

inline constexpr size_t kCacheLine = 64;
// The C library keeps small blocks for the next one who asks, and finds one sooner than an allocator that looks for
// what fits best among all that a run has. A convolution of many groups has thousands.
inline constexpr size_t kLeastShared = 4096;
inline bool is_from_heap(size_t bytes, const Allocator* allocator) {
  return allocator == nullptr || bytes < kLeastShared;
}

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // From `allocator`, or the heap without one.
  explicit AlignedBuffer(size_t bytes, Allocator* allocator = nullptr)
      : bytes_(bytes), data_(is_from_heap(bytes, allocator) ? from_heap(bytes) : allocator->allocate(bytes)) {}

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

// Of a std::vector whose elements kernels load as whole vectors: a load that crosses cache lines costs two. The
// elements come from `allocator`, which must outlive them, or from the heap without one.
template <typename T>
class CacheLineAllocator {
 public:
  using value_type = T;
  // A vector moved to another one takes its memory along.
  using propagate_on_container_move_assignment = std::true_type;

  CacheLineAllocator(Allocator* allocator = nullptr) : allocator_(allocator) {}  // NOLINT(google-explicit-constructor)
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>& other)  // NOLINT(google-explicit-constructor)
      : allocator_(other.allocator()) {}

  T* allocate(size_t n) {
    const size_t bytes = n * sizeof(T);
    if (is_from_heap(bytes, allocator_)) return static_cast<T*>(::operator new (bytes, std::align_val_t{kCacheLine}));
    // What gives the memory back lies in the line before the elements.
    Owner owner = allocator_->allocate(kCacheLine + bytes);
    std::byte* const memory = owner.get();
    new (memory) Owner(std::move(owner));
    return reinterpret_cast<T*>(memory + kCacheLine);
  }
  void deallocate(T* elements, size_t n) {
    if (is_from_heap(n * sizeof(T), allocator_)) return ::operator delete (elements, std::align_val_t{kCacheLine});
    give_back(reinterpret_cast<std::byte*>(elements));
  }
  Allocator* allocator() const { return allocator_; }
  friend bool operator==(const CacheLineAllocator& a, const CacheLineAllocator& b) {
    return a.allocator_ == b.allocator_;
  }

 private:
  using Owner = std::shared_ptr<std::byte>;
  static_assert(sizeof(Owner) <= kCacheLine);

  // Not inlined: GCC warns of what this would do to a block that it sees come from the heap.
  [[gnu::noinline]] static void give_back(std::byte* elements) {
    auto* const place = reinterpret_cast<Owner*>(elements - kCacheLine);
    const Owner owner = std::move(*place);
    std::destroy_at(place);
  }

  Allocator* allocator_;
};
template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
