// A dense array: dtype, shape, bytes.
#ifndef TWOFOLD_TENSOR_H_
#define TWOFOLD_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "twofold/dtype.h"

namespace twofold {

using Shape = std::vector<int64_t>;

// Number of elements; throws Error(kResourceExhausted) if it overflows, kInvalidArgument on a negative dimension.
int64_t num_elements(const Shape& shape);
// "[1,3,48,320]"; "[]" for a scalar.
std::string to_string(const Shape& shape);

// How the elements of an [N,C,spatial...] tensor lie in memory. The shape is always the logical one.
enum class Layout : uint8_t {
  kPlain,         // row-major in the order of the shape
  kChannelsLast,  // row-major in the order N, spatial..., C
};

// Where a tensor's bytes come from; the engine supplies one that recycles buffers.
class Allocator {
 public:
  virtual ~Allocator() = default;
  // 64-byte aligned, uninitialized. Throws Error(kResourceExhausted).
  virtual std::shared_ptr<std::byte> allocate(size_t bytes) = 0;
};

// A value: copies share the bytes and are independent, since writing to shared bytes copies them first.
// Thread-safe as const.
class Tensor {
 public:
  Tensor() = default;
  // Uninitialized bytes from `allocator`; without one, from the one in force where this is called (else the heap).
  Tensor(DType dtype, Shape shape, Layout layout = Layout::kPlain, Allocator* allocator = nullptr);
  // Bytes that someone else owns (a mapped file, a NumPy array) and that stay as they are while `owner` lives.
  static Tensor wrap(DType dtype, Shape shape, const void* bytes, std::shared_ptr<const void> owner);
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor scalar(T value);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[static_cast<size_t>(axis)]; }
  int rank() const { return static_cast<int>(shape_.size()); }
  int64_t size() const { return size_; }
  size_t byte_size() const { return static_cast<size_t>(size_) * twofold::byte_size(dtype_); }
  Layout layout() const { return layout_; }
  bool defined() const { return dtype_ != DType::kUndefined; }

  const std::byte* bytes() const { return bytes_.get(); }
  // Copies the bytes first if they are shared.
  std::byte* mutable_bytes();

  // Elements in memory order. T must be the C++ type of dtype(): bool is uint8_t, float16 and bfloat16 are uint16_t.
  template <typename T>
  std::span<const T> data() const {
    check_type(sizeof(T), type_code<T>());
    return {reinterpret_cast<const T*>(bytes_.get()), static_cast<size_t>(size_)};
  }
  template <typename T>
  std::span<T> mutable_data() {
    check_type(sizeof(T), type_code<T>());
    return {reinterpret_cast<T*>(mutable_bytes()), static_cast<size_t>(size_)};
  }

  // The same bytes under another shape of the same size. REQUIRES: plain layout.
  Tensor reshaped(Shape shape) const;
  // The same bytes under another layout. REQUIRES: one channel, or one position per channel.
  Tensor relabeled(Layout layout) const;

 private:
  template <typename T>
  static constexpr int type_code();
  void check_type(size_t size, int code) const;

  DType dtype_ = DType::kUndefined;
  Layout layout_ = Layout::kPlain;
  Shape shape_;
  int64_t size_ = 0;
  bool writable_ = true;  // false for wrapped bytes
  std::shared_ptr<std::byte> bytes_;
};

// The DType that holds a C++ type: float -> kFloat32, int8_t -> kInt8, ... bool is not a storage type (use uint8_t).
template <typename T>
inline constexpr DType kDTypeOf = DType::kUndefined;
template <>
inline constexpr DType kDTypeOf<float> = DType::kFloat32;
template <>
inline constexpr DType kDTypeOf<double> = DType::kFloat64;
template <>
inline constexpr DType kDTypeOf<int8_t> = DType::kInt8;
template <>
inline constexpr DType kDTypeOf<uint8_t> = DType::kUInt8;
template <>
inline constexpr DType kDTypeOf<int16_t> = DType::kInt16;
template <>
inline constexpr DType kDTypeOf<uint16_t> = DType::kUInt16;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kInt32;
template <>
inline constexpr DType kDTypeOf<uint32_t> = DType::kUInt32;
template <>
inline constexpr DType kDTypeOf<int64_t> = DType::kInt64;
template <>
inline constexpr DType kDTypeOf<uint64_t> = DType::kUInt64;

template <typename T>
constexpr int Tensor::type_code() {
  return static_cast<int>(kDTypeOf<T>);
}

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor(kDTypeOf<T>, std::move(shape));
  std::span<T> out = tensor.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[i];
  return tensor;
}

template <typename T>
Tensor Tensor::scalar(T value) {
  return from<T>({}, std::span<const T>(&value, 1));
}

}  // namespace twofold

#endif  // TWOFOLD_TENSOR_H_
