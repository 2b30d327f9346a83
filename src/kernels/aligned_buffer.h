// Uninitialized bytes on a cache line boundary.
#ifndef TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
#define TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_

#include <cstddef>
#include <memory>
#include <new>

namespace twofold::kernels {

inline constexpr size_t kCacheLine = 64;

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes)
      : bytes_(bytes), data_(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kCacheLine)))) {}

  // At least `bytes` bytes, with whatever content: the buffer is replaced if it is smaller.
  std::byte* at_least(size_t bytes) {
    if (bytes > bytes_) *this = AlignedBuffer(bytes);
    return data_.get();
  }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t size() const { return bytes_; }

 private:
  struct Delete {
    void operator()(std::byte* data) const { ::operator delete(data, std::align_val_t(kCacheLine)); }
  };
  size_t bytes_ = 0;
  std::unique_ptr<std::byte, Delete> data_;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_ALIGNED_BUFFER_H_
