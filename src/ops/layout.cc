#include "ops/layout.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold {

namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kGrain = 1 << 15;

struct Span {
  int64_t begin, end;
};

// out[c][r] = in[r][c] for a part of a rows x columns matrix, in square blocks that stay in the cache.
template <typename T>
void transpose(const T* in, T* out, int64_t rows, int64_t columns, Span row_span, Span column_span) {
  for (int64_t r0 = row_span.begin; r0 < row_span.end; r0 += kBlock) {
    const int64_t r1 = std::min(r0 + kBlock, row_span.end);
    for (int64_t c0 = column_span.begin; c0 < column_span.end; c0 += kBlock) {
      const int64_t c1 = std::min(c0 + kBlock, column_span.end);
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
  // Threads share the longer side of the matrix, in whole blocks.
  const bool by_rows = rows > columns;
  const int64_t blocks = ((by_rows ? rows : columns) + kBlock - 1) / kBlock;
  const int64_t work = kBlock * std::min(rows, columns);
  parallel_for(from.dim(0) * blocks, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / blocks * rows * columns, first = i % blocks * kBlock;
      const Span row_span = by_rows ? Span{first, std::min(first + kBlock, rows)} : Span{0, rows};
      const Span column_span = by_rows ? Span{0, columns} : Span{first, std::min(first + kBlock, columns)};
      transpose(in + image, out + image, rows, columns, row_span, column_span);
    }
  });
}

}  // namespace

Tensor to_layout(const Tensor& tensor, Layout layout, Allocator* allocator) {
  if (tensor.layout() == layout) return tensor;
  TWOFOLD_CHECK(tensor.rank() >= 3);
  const int64_t batch = tensor.dim(0), channels = tensor.dim(1);
  if (channels == 1 || tensor.size() == batch * channels) return tensor.relabeled(layout);
  Tensor result(tensor.dtype(), tensor.shape(), layout, allocator);
  if (tensor.size() == 0) return result;
  const int64_t spatial = tensor.size() / batch / channels;
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
