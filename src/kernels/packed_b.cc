#include "kernels/packed_b.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/error.h"

namespace twofold::kernels {

namespace {

// K is cut at multiples of 4, which are whole cells of either kind.
constexpr int64_t kStep = 4;
// Elements of K that are brought into one form at once; the block stays in the L1 cache.
constexpr int64_t kBlock = 64;
constexpr int kMaxWidth = kMaxTileVectors * kMaxLanes;
// Where chunks of pairs are at least this long, adding them up costs less than a second pass over the high bytes.
constexpr int64_t kGoodChunk = 128;
constexpr double kExactDouble = 9007199254740992.0;  // 2^53

using Block = std::array<std::array<int16_t, kMaxWidth>, kBlock>;  // [k][column]
using Weights = std::array<int32_t, kMaxWidth>;                    // per column

template <typename Body>
void with_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kInt8: return body(int8_t{});
    case DType::kUInt8: return body(uint8_t{});
    case DType::kInt16: return body(int16_t{});
    case DType::kUInt16: return body(uint16_t{});
    default: TWOFOLD_CHECK(!"an operand of 8 or 16 bits");
  }
}

bool is_8bit(DType dtype) { return byte_size(dtype) == 1; }

struct Range {
  int32_t low = 0, high = 0;
  bool within(int32_t least, int32_t most) const { return low >= least && high <= most; }
};

Range range_of(const MatrixView& b) {
  Range range;
  with_type(b.dtype, [&]<typename T>(T) {
    if (b.zero_point == 0 && std::is_signed_v<T>) {
      range = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
      return;
    }
    const bool by_row = b.column_stride <= b.row_stride;
    const int64_t outer = by_row ? b.rows : b.columns, inner = by_row ? b.columns : b.rows;
    const int64_t outer_stride = by_row ? b.row_stride : b.column_stride;
    const int64_t inner_stride = by_row ? b.column_stride : b.row_stride;
    T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::min();
    for (int64_t o = 0; o < outer; ++o) {
      const T* from = static_cast<const T*>(b.data) + o * outer_stride;
      for (int64_t i = 0; i < inner; ++i) {
        low = std::min(low, from[i * inner_stride]);
        high = std::max(high, from[i * inner_stride]);
      }
    }
    if (outer > 0 && inner > 0) range = {low, high};
  });
  return range;
}

// block[i][c] = b(k + i, column + c) - fold for the elements that are there, else 0. `rows` is a multiple of kStep.
void load_block(const MatrixView& b, int32_t fold, int64_t k, int64_t rows, int64_t column, int columns, int width,
                Block& block) {
  const int64_t there = std::min(rows, b.rows - k);
  if (there < rows || columns < width) {
    for (int64_t i = 0; i < rows; ++i) block[static_cast<size_t>(i)].fill(0);
  }
  with_type(b.dtype, [&]<typename T>(T) {
    const T* from = static_cast<const T*>(b.data) + k * b.row_stride + column * b.column_stride;
    if (b.column_stride == 1) {
      for (int64_t i = 0; i < there; ++i) {
        int16_t* to = block[static_cast<size_t>(i)].data();
        for (int c = 0; c < columns; ++c) to[c] = static_cast<int16_t>(from[i * b.row_stride + c] - fold);
      }
    } else {
      for (int c = 0; c < columns; ++c) {
        int16_t* to = block[0].data() + c;
        for (int64_t i = 0; i < there; ++i)
          to[i * kMaxWidth] = static_cast<int16_t>(from[i * b.row_stride + c * b.column_stride] - fold);
      }
    }
  });
}

// w = 256 high + low with the low part nearest to 0, as far as `high` fits int8.
int32_t high_byte(int32_t w) { return std::min((w + 128) >> 8, 127); }

// Sums |w|, or |wh| + |wl|, over kStep elements of K.
void add_weights(const Block& block, int64_t at, int width, bool split, Weights& weights) {
  for (int64_t i = at; i < at + kStep; ++i) {
    const int16_t* row = block[static_cast<size_t>(i)].data();
    for (int c = 0; c < width; ++c) {
      const int32_t w = row[c];
      const int32_t high = split ? high_byte(w) : 0;
      const int32_t low = w - 256 * high;
      weights[static_cast<size_t>(c)] += (high < 0 ? -high : high) + (low < 0 ? -low : low);
    }
  }
}

// Cells of kStep elements: [cell][column][element of the cell].
void store_cells(const Block& block, int64_t at, int width, int64_t per_cell, bool high, std::byte* to) {
  for (int64_t i = at; i < at + kStep; i += per_cell) {
    for (int c = 0; c < width; ++c) {
      for (int64_t j = 0; j < per_cell; ++j) {
        const int32_t w = block[static_cast<size_t>(i + j)][static_cast<size_t>(c)];
        const auto value = static_cast<int16_t>(high ? high_byte(w) : w);
        if (per_cell == 4) {
          const auto narrow = static_cast<int8_t>(value);
          std::memcpy(to + 4 * c + j, &narrow, 1);
        } else {
          std::memcpy(to + 4 * c + 2 * j, &value, 2);
        }
      }
    }
    to += 4 * width;
  }
}

std::ptrdiff_t round_up(std::ptrdiff_t n, std::ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

PackedB::PackedB(const MatrixView& b, DType a_dtype, int32_t a_zero_point)
    : isa_(current_isa()), kernels_(&micro_kernels(isa_)), k_(b.rows), columns_(b.columns) {
  choose_form(b, a_dtype, a_zero_point);
  if (product_ == Product::kPairsAndHighBytes && pairs_are_better(b)) product_ = Product::kPairs;

  row_form_.dtype = a_dtype;
  row_form_.k = k_;
  const bool widened = product_ != Product::kQuads && is_8bit(a_dtype);
  row_form_.element_bytes = product_ == Product::kQuads ? 1 : 2;
  row_form_.copy = product_ == Product::kQuads ? kernels_->copy_8_to_8
                   : widened ? (a_dtype == DType::kInt8 ? kernels_->copy_s8_to_16 : kernels_->copy_u8_to_16)
                   : product_ == Product::kPairs ? kernels_->copy_16_to_16
                                                 : kernels_->copy_16_to_16_and_high;
  const std::ptrdiff_t padded_k = round_up(k_, kStep);
  row_form_.high_offset = round_up(padded_k * row_form_.element_bytes, kCacheLine);
  row_form_.high_bytes = product_ == Product::kPairsAndHighBytes ? (kernels_->has_quads ? 1 : 2) : 0;
  // An odd number of cache lines, so that the rows of a tile do not compete for the same sets of the cache.
  row_form_.stride = round_up(row_form_.high_offset + padded_k * row_form_.high_bytes, kCacheLine) |
                     static_cast<std::ptrdiff_t>(kCacheLine);

  lay_out_panels();
  offset_.assign(static_cast<size_t>(padded_columns_), 0);
  sum_bound_.assign(static_cast<size_t>(padded_columns_), 0);
  for (Panel& panel : panels_) pack_panel(b, panel);
  row_factor_ = -b_zero_point_;
}

void PackedB::choose_form(const MatrixView& b, DType a_dtype, int32_t a_zero_point) {
  const bool b8 = is_8bit(b.dtype), a8 = is_8bit(a_dtype);
  const Range range = range_of(b);
  const Range folded = {range.low - b.zero_point, range.high - b.zero_point};
  const bool fits = b8 ? folded.within(-128, 127) : folded.within(-32768, 32767);
  const int32_t shift = b.dtype == DType::kUInt8 ? 128 : b.dtype == DType::kUInt16 ? 32768 : 0;
  fold_ = fits ? b.zero_point : shift;
  b_zero_point_ = b.zero_point - fold_;

  product_ = a8 && b8 && kernels_->has_quads ? Product::kQuads
             : a8 || b8                      ? Product::kPairs
                                             : Product::kPairsAndHighBytes;
  const bool a_unsigned = a_dtype == DType::kUInt8 || a_dtype == DType::kUInt16;
  a_zero_point_ = a_zero_point;
  if (product_ == Product::kQuads) {
    a_bound_ = kernels_->quads_take_unsigned ? 255 : 128;
    if (a_unsigned != kernels_->quads_take_unsigned) {
      row_form_.flip = 0x80;
      a_zero_point_ += a_unsigned ? -128 : 128;
    }
  } else if (a8) {
    a_bound_ = a_unsigned ? 255 : 128;
  } else {
    a_bound_ = 32768;
    if (a_unsigned) {
      row_form_.flip = 0x8000;
      a_zero_point_ -= 32768;
    }
  }
}

void PackedB::lay_out_panels() {
  const int64_t padded_k = round_up(k_, kStep);
  const std::ptrdiff_t cells = padded_k / (product_ == Product::kQuads ? 4 : 2);
  const std::ptrdiff_t high_cells =
      product_ != Product::kPairsAndHighBytes ? 0 : padded_k / (kernels_->has_quads ? 4 : 2);
  std::ptrdiff_t bytes = 0;
  for (int64_t column = 0; column < columns_;) {
    Panel panel = {};
    panel.first_column = column;
    const int64_t left = columns_ - column;
    panel.vectors =
        static_cast<int>(std::min<int64_t>(kernels_->max_vectors, (left + kernels_->lanes - 1) / kernels_->lanes));
    const int width = panel.vectors * kernels_->lanes;
    panel.columns = static_cast<int>(std::min<int64_t>(left, width));
    panel.cells = bytes;
    bytes = round_up(bytes + cells * width * 4, kCacheLine);
    panel.high = bytes;
    bytes = round_up(bytes + high_cells * width * 4, kCacheLine);
    padded_columns_ += width;
    column += panel.columns;
    panels_.push_back(panel);
  }
  data_ = AlignedBuffer(static_cast<size_t>(bytes));
}

// Whether no column needs chunks of pairs shorter than kGoodChunk.
bool PackedB::pairs_are_better(const MatrixView& b) const {
  const int64_t limit = std::numeric_limits<int32_t>::max() / a_bound_;
  const int width = kMaxWidth;
  int64_t chunks = 1;
  const int64_t allowed = std::max<int64_t>(1, k_ / kGoodChunk);
  Block block;
  for (int64_t column = 0; column < columns_; column += width) {
    const int columns = static_cast<int>(std::min<int64_t>(width, columns_ - column));
    Weights run = {};
    chunks = 1;
    for (int64_t k = 0; k < k_; k += kBlock) {
      const int64_t rows = std::min(kBlock, round_up(k_ - k, kStep));
      load_block(b, fold_, k, rows, column, columns, width, block);
      for (int64_t i = 0; i < rows; i += kStep) {
        Weights step = {};
        add_weights(block, i, width, false, step);
        int32_t most = 0, most_of_step = 0;
        for (size_t c = 0; c < step.size(); ++c) {
          most = std::max(most, run[c] + step[c]);
          most_of_step = std::max(most_of_step, step[c]);
        }
        if (most_of_step > limit) return false;
        if (most > limit) {
          if (++chunks > allowed) return false;
          run = {};
        }
        for (size_t c = 0; c < step.size(); ++c) run[c] += step[c];
      }
    }
  }
  return true;
}

void PackedB::pack_panel(const MatrixView& b, Panel& panel) {
  const bool split = product_ == Product::kPairsAndHighBytes;
  const int64_t per_cell = product_ == Product::kQuads ? 4 : 2, per_high = kernels_->has_quads ? 4 : 2;
  const int width = panel.vectors * kernels_->lanes;
  const int64_t limit = split ? 65535 : std::numeric_limits<int32_t>::max() / a_bound_;
  std::byte *cells = data_.data() + panel.cells, *high = data_.data() + panel.high;
  std::array<int64_t, kMaxWidth> sums = {}, magnitudes = {}, high_sums = {};
  Weights run = {}, high_run = {};
  panel.first_chunk = chunks_.size();
  Chunk chunk = {};
  const auto close_chunk = [&](int64_t end) {
    chunk.end = end;
    if (split) {
      // W starts at 2^15 * 255 sum wh, so that the kernels have r = W - 2^16 E; offset takes it back.
      chunk.init = static_cast<std::ptrdiff_t>(wrap_init_.size());
      for (int c = 0; c < width; ++c) {
        const int64_t start = int64_t{32768} * 255 * high_run[static_cast<size_t>(c)];
        wrap_init_.push_back(static_cast<int32_t>(static_cast<uint32_t>(start)));
        high_sums[static_cast<size_t>(c)] += start;
      }
      high_run = {};
    }
    chunks_.push_back(chunk);
    chunk.begin = end;
    run = {};
  };
  Block block;
  for (int64_t k = 0; k < k_; k += kBlock) {
    const int64_t rows = std::min(kBlock, round_up(k_ - k, kStep));
    load_block(b, fold_, k, rows, panel.first_column, panel.columns, width, block);
    for (int64_t i = 0; i < rows; i += kStep) {
      Weights step = {};
      add_weights(block, i, width, split, step);
      bool full = false;
      for (size_t c = 0; c < static_cast<size_t>(width); ++c) full |= run[c] + step[c] > limit;
      if (full) close_chunk((k + i) / per_cell);
      for (size_t c = 0; c < static_cast<size_t>(width); ++c) run[c] += step[c];
      for (int64_t j = i; j < i + kStep; ++j) {
        const int16_t* row = block[static_cast<size_t>(j)].data();
        for (size_t c = 0; c < static_cast<size_t>(width); ++c) {
          sums[c] += row[c];
          magnitudes[c] += row[c] < 0 ? -row[c] : row[c];
          if (split) high_run[c] += high_byte(row[c]);
        }
      }
      store_cells(block, i, width, per_cell, false, cells);
      cells += kStep / per_cell * width * 4;
      if (split) {
        store_cells(block, i, width, per_high, true, high);
        high += kStep / per_high * width * 4;
      }
    }
  }
  close_chunk(round_up(k_, kStep) / per_cell);
  panel.chunks = chunks_.size() - panel.first_chunk;
  for (size_t c = 0; c < static_cast<size_t>(width); ++c) {
    const size_t at = static_cast<size_t>(panel.first_column) + c;
    const double bound = static_cast<double>(a_bound_) * static_cast<double>(magnitudes[c]);
    sum_bound_[at] = bound;
    offset_[at] = static_cast<double>(-a_zero_point_ * sums[c] + k_ * a_zero_point_ * b_zero_point_ - high_sums[c]);
    if (bound + std::abs(offset_[at]) > kExactDouble) {
      throw_error(ErrorCode::kUnsupported, "sums of {} products of these integers could pass 2^53", k_);
    }
  }
}

}  // namespace twofold::kernels
