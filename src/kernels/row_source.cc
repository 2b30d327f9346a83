#include "kernels/row_source.h"

#include <algorithm>
#include <array>

namespace twofold::kernels {

namespace {

// Elements that are gathered from a strided row before they are converted.
constexpr int64_t kGather = 256;

template <typename T>
void pack_strided(const MatrixView& a, int64_t row, const PackedRows& packed) {
  std::array<T, kGather> run;
  const T* from = static_cast<const T*>(a.data) + row * a.row_stride;
  for (int64_t k = 0; k < a.columns; k += kGather) {
    const int64_t n = std::min(kGather, a.columns - k);
    for (int64_t i = 0; i < n; ++i) run[static_cast<size_t>(i)] = from[(k + i) * a.column_stride];
    packed.copy(k, n, run.data());
  }
}

}  // namespace

const std::byte* MatrixRows::row(int64_t r) const {
  return static_cast<const std::byte*>(a_.data) + r * a_.row_stride * static_cast<int64_t>(byte_size(a_.dtype));
}

RowsInPlace MatrixRows::in_place(int64_t begin, const RowForm& form) const {
  const auto bytes = static_cast<int64_t>(byte_size(a_.dtype));
  const bool same = form.flip == 0 && form.element_bytes == bytes;
  // The last cell must be whole: what follows a row is not zero.
  if (!same || a_.column_stride != 1 || a_.columns % 4 != 0) return {};
  return {row(begin), a_.row_stride * bytes};
}

void MatrixRows::pack(int64_t begin, int64_t count, const PackedRows& rows) const {
  const auto bytes = static_cast<int64_t>(byte_size(a_.dtype));
  if (a_.column_stride == 1) return rows.copy(0, a_.columns, row(begin), a_.row_stride * bytes, count);
  for (int64_t r = 0; r < count; ++r) {
    if (bytes == 1) {
      pack_strided<uint8_t>(a_, begin + r, rows.from(r));
    } else {
      pack_strided<uint16_t>(a_, begin + r, rows.from(r));
    }
  }
}

}  // namespace twofold::kernels
