#include "loops/transpose_block.h"

#include <algorithm>

#include "loops/element.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/transpose_block.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

template <typename T>
void transpose_elements(const TransposedPart& part, const T* in, T* out) {
  for (int64_t c = 0; c < part.columns; ++c) {
    for (int64_t r = 0; r < part.rows; ++r) out[c * part.out_stride + r] = in[r * part.in_stride + c];
  }
}

// The same for the rest of the part, from a row and for some columns.
template <typename T>
void transpose_rest(TransposedPart part, int64_t row, int64_t column, int64_t columns, const T* in, T* out) {
  in += row * part.in_stride + column;
  out += column * part.out_stride + row;
  part.rows -= row;
  part.columns = columns;
  transpose_elements(part, in, out);
}

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
namespace hn = hwy::HWY_NAMESPACE;

// A square of as many rows as a vector of 128 bits has elements. Interleaving row i with row i + half, again and again,
// sorts the elements by their column.
template <typename T>
HWY_INLINE void transpose_square(const T* in, int64_t in_stride, T* out, int64_t out_stride) {
  const hn::Full128<T> d;
  constexpr size_t kSize = 16 / sizeof(T);
  hn::Vec<hn::Full128<T>> rows[kSize], next[kSize];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSize; ++i) rows[i] = hn::LoadU(d, in + static_cast<int64_t>(i) * in_stride);
  HWY_UNROLL(4)
  for (size_t step = 1; step < kSize; step *= 2) {
    HWY_UNROLL(8)
    for (size_t i = 0; i < kSize / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + kSize / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + kSize / 2]);
    }
    HWY_UNROLL(16)
    for (size_t i = 0; i < kSize; ++i) rows[i] = next[i];
  }
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSize; ++i) hn::StoreU(rows[i], d, out + static_cast<int64_t>(i) * out_stride);
}

// Squares in an order that writes whole cache lines.
template <typename T>
void transpose_squares(const TransposedPart& part, const T* in, T* out) {
  constexpr int64_t kSize = 16 / sizeof(T), kLine = 64 / sizeof(T);
  const int64_t columns = part.columns / kSize * kSize;
  for (int64_t r0 = 0; r0 < part.rows; r0 += kLine) {
    const int64_t r1 = std::min(r0 + kLine, part.rows) / kSize * kSize;
    for (int64_t c = 0; c < columns; c += kSize) {
      for (int64_t r = r0; r < r1; r += kSize)
        transpose_square(in + r * part.in_stride + c, part.in_stride, out + c * part.out_stride + r, part.out_stride);
    }
  }
  const int64_t rows = part.rows / kSize * kSize;
  transpose_rest(part, rows, 0, columns, in, out);
  transpose_rest(part, 0, columns, part.columns - columns, in, out);
}

// Two to four rows become neighbours, as the planes of an image do.
template <typename T>
void interleave_rows(const TransposedPart& part, const T* in, T* out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto row = [&](int64_t r, int64_t c) { return hn::LoadU(d, in + r * part.in_stride + c); };
  int64_t c = 0;
  for (; c + lanes <= part.columns; c += lanes) {
    T* to = out + c * part.rows;
    if (part.rows == 2) {
      hn::StoreInterleaved2(row(0, c), row(1, c), d, to);
    } else if (part.rows == 3) {
      hn::StoreInterleaved3(row(0, c), row(1, c), row(2, c), d, to);
    } else {
      hn::StoreInterleaved4(row(0, c), row(1, c), row(2, c), row(3, c), d, to);
    }
  }
  transpose_rest(part, 0, c, part.columns - c, in, out);
}

// And back.
template <typename T>
void separate_rows(const TransposedPart& part, const T* in, T* out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<hn::ScalableTag<T>> v[4];
  int64_t r = 0;
  for (; r + lanes <= part.rows; r += lanes) {
    const T* from = in + r * part.columns;
    if (part.columns == 2) {
      hn::LoadInterleaved2(d, from, v[0], v[1]);
    } else if (part.columns == 3) {
      hn::LoadInterleaved3(d, from, v[0], v[1], v[2]);
    } else {
      hn::LoadInterleaved4(d, from, v[0], v[1], v[2], v[3]);
    }
    for (int64_t c = 0; c < part.columns; ++c) hn::StoreU(v[c], d, out + c * part.out_stride + r);
  }
  transpose_rest(part, r, 0, part.columns, in, out);
}

template <typename T>
void transpose_words(const TransposedPart& part, const T* in, T* out) {
  if (part.rows >= 2 && part.rows <= 4 && part.out_stride == part.rows) {
    interleave_rows(part, in, out);
  } else if (part.columns >= 2 && part.columns <= 4 && part.in_stride == part.columns) {
    separate_rows(part, in, out);
  } else {
    transpose_squares(part, in, out);
  }
}
#else
template <typename T>
void transpose_words(const TransposedPart& part, const T* in, T* out) {
  transpose_elements(part, in, out);
}
#endif

void transpose(size_t element_size, const TransposedPart& part, const std::byte* in, std::byte* out) {
  with_word(element_size,
            [&]<typename T>() { transpose_words(part, reinterpret_cast<const T*>(in), reinterpret_cast<T*>(out)); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {
HWY_EXPORT(transpose);
void transpose_block(size_t element_size, const TransposedPart& part, const std::byte* in, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(transpose)(element_size, part, in, out);
}
}  // namespace twofold
#endif
