#include "ops/layout.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold {

namespace {

// out[c][r] = in[r][c] for a rows x columns matrix, in square blocks that stay in the cache.
template <typename T>
void transpose(const T* in, T* out, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += kBlock) {
    const int64_t r1 = std::min(r0 + kBlock, rows);
    for (int64_t c0 = 0; c0 < columns; c0 += kBlock) {
      const int64_t c1 = std::min(c0 + kBlock, columns);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) out[c * rows + r] = in[r * columns + c];
      }
    }
  }
}

template <typename T>
void transpose_batch(const Tensor& from, Tensor& to, int64_t rows, int64_t columns) {
  const auto* in = reinterpret_cast<const T*>(from.bytes());
  auto* out = reinterpret_cast<T*>(to.mutable_bytes());
  parallel_for(from.dim(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) transpose(in + n * rows * columns, out + n * rows * columns, rows, columns);
  });
}

}  // namespace

Tensor to_layout(const Tensor& tensor, Layout layout, Allocator* allocator) {
  if (tensor.layout() == layout) return tensor;
  TWOFOLD_CHECK(tensor.rank() >= 3);
  Tensor result(tensor.dtype(), tensor.shape(), layout, allocator);
  if (tensor.size() == 0) return result;
  const int64_t channels = tensor.dim(1);
  const int64_t spatial = tensor.size() / tensor.dim(0) / channels;
  const bool to_last = layout == Layout::kChannelsLast;
  const int64_t rows = to_last ? channels : spatial;
  const int64_t columns = to_last ? spatial : channels;
  switch (byte_size(tensor.dtype())) {
    case 1: transpose_batch<uint8_t>(tensor, result, rows, columns); break;
    case 2: transpose_batch<uint16_t>(tensor, result, rows, columns); break;
    case 4: transpose_batch<uint32_t>(tensor, result, rows, columns); break;
    default: transpose_batch<uint64_t>(tensor, result, rows, columns); break;
  }
  return result;
}

}  // namespace twofold
