#include "loops/layout.h"

#include <algorithm>

#include "base/check.h"
#include "base/parallel_for.h"
#include "loops/transpose_block.h"

namespace twofold {

namespace {

constexpr int64_t kBlock = 64;  // rows or columns that a thread takes, whole cache lines of any element
constexpr int64_t kGrain = 1 << 15;

// Threads share the longer side of each matrix.
void transpose_batch(const Tensor& from, Tensor& to, int64_t rows, int64_t columns) {
  const auto bytes = static_cast<int64_t>(byte_size(from.dtype()));
  const bool by_rows = rows > columns;
  const int64_t side = by_rows ? rows : columns, step = std::max(kBlock, kGrain / std::min(rows, columns));
  const int64_t parts = (side + step - 1) / step;
  parallel_for(from.dim(0) * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / parts * rows * columns, first = i % parts * step, size = std::min(step, side - first);
      const std::byte* in = from.bytes() + (image + first * (by_rows ? columns : 1)) * bytes;
      std::byte* out = to.mutable_bytes() + (image + first * (by_rows ? 1 : rows)) * bytes;
      transpose_block(static_cast<size_t>(bytes), {by_rows ? size : rows, by_rows ? columns : size, columns, rows}, in,
                      out);
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
  transpose_batch(tensor, result, rows, columns);
  return result;
}

}  // namespace twofold
