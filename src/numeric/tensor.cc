#include "twofold/tensor.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/check.h"
#include "base/error.h"
#include "numeric/allocator_scope.h"

namespace twofold {

int64_t num_elements(const Shape& shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0) throw_error(ErrorCode::kInvalidArgument, "shape {} has a negative dimension", to_string(shape));
    if (__builtin_mul_overflow(count, dim, &count)) {
      throw_error(ErrorCode::kResourceExhausted, "shape {} has too many elements", to_string(shape));
    }
  }
  return count;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

namespace {

class HeapAllocator final : public Allocator {
 public:
  std::shared_ptr<std::byte> allocate(size_t bytes) override {
    const size_t rounded = (bytes + 63) / 64 * 64;
    if (rounded < bytes) throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
    void* memory = std::aligned_alloc(64, rounded == 0 ? 64 : rounded);
    if (memory == nullptr) throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
    return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
  }
};

HeapAllocator heap;
thread_local Allocator* current = &heap;

}  // namespace

AllocatorScope::AllocatorScope(Allocator* allocator) : saved_(current) { current = allocator; }

AllocatorScope::~AllocatorScope() { current = saved_; }

Tensor::Tensor(DType dtype, Shape shape, Layout layout, Allocator* allocator)
    : dtype_(dtype), layout_(layout), shape_(std::move(shape)), size_(num_elements(shape_)) {
  TWOFOLD_CHECK(is_known(dtype));
  if (size_ > std::numeric_limits<int64_t>::max() / 8) {
    throw_error(ErrorCode::kResourceExhausted, "shape {} has too many elements", to_string(shape_));
  }
  bytes_ = (allocator != nullptr ? allocator : current)->allocate(byte_size());
}

Tensor Tensor::wrap(DType dtype, Shape shape, const void* bytes, std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = num_elements(tensor.shape_);
  tensor.writable_ = false;
  auto* start = static_cast<std::byte*>(const_cast<void*>(bytes));
  tensor.bytes_ = std::shared_ptr<std::byte>(start, [owner = std::move(owner)](std::byte*) {});
  return tensor;
}

std::byte* Tensor::mutable_bytes() {
  if (defined() && (!writable_ || bytes_.use_count() > 1)) {
    std::shared_ptr<std::byte> copy = current->allocate(byte_size());
    if (size_ > 0) std::memcpy(copy.get(), bytes_.get(), byte_size());
    bytes_ = std::move(copy);
    writable_ = true;
  }
  return bytes_.get();
}

Tensor Tensor::reshaped(Shape shape) const {
  TWOFOLD_CHECK(layout_ == Layout::kPlain && num_elements(shape) == size_);
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::relabeled(Layout layout) const {
  TWOFOLD_CHECK(rank() >= 3 && (dim(1) == 1 || size_ == dim(0) * dim(1)));
  Tensor result = *this;
  result.layout_ = layout;
  return result;
}

void Tensor::check_type(size_t size, int code) const {
  const auto asked = static_cast<DType>(code);
  const bool same_storage = (dtype_ == DType::kBool && asked == DType::kUInt8) ||
                            ((dtype_ == DType::kFloat16 || dtype_ == DType::kBFloat16) && asked == DType::kUInt16);
  if (dtype_ != asked && !same_storage) {
    throw_error(ErrorCode::kInvalidArgument, "tensor is {}, but {} ({} bytes) was expected", twofold::to_string(dtype_),
                twofold::to_string(asked), size);
  }
}

}  // namespace twofold
