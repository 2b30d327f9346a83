#include "kernels/packed_b.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "kernels/exact_sums.h"

namespace twofold::kernels {

namespace {

// K is cut at multiples of 4, which are whole cells of either kind.
constexpr int64_t kStep = 4;
constexpr int kMaxWidth = kMaxTileVectors * kMaxLanes;
// Where chunks of pairs are at least this long, adding them up costs less than a second pass over the high bytes.
constexpr int64_t kGoodChunk = 128;
// Cells that are summed in int32 at once: 2^12 pairs of magnitude 2^15 stay below 2^31.
constexpr int64_t kScan = 1 << 12;
// Pairs become bytes from so many elements of a column on: those of shorter ones stay in the nearest cache as they are,
// and widening them would show.
constexpr int64_t kLeastCompact = 128;

using Columns = std::array<int32_t, kMaxWidth>;

bool is_8bit(DType dtype) { return byte_size(dtype) == 1; }
bool is_unsigned(DType dtype) { return dtype == DType::kUInt8 || dtype == DType::kUInt16; }

struct Range {
  int32_t low = 0, high = 0;
  bool within(int32_t least, int32_t most) const { return low >= least && high <= most; }
};

// Of the integers that are there; of signed ones without a zero point it is of no interest, and is the type's.
Range range_of(const MatrixView& b, const MicroKernels& kernels) {
  if (b.zero_point == 0 && !is_unsigned(b.dtype)) return is_8bit(b.dtype) ? Range{-128, 127} : Range{-32768, 32767};
  if (b.rows == 0 || b.columns == 0) return {};
  const RangeOf of = b.dtype == DType::kInt8    ? kernels.range_s8
                     : b.dtype == DType::kUInt8 ? kernels.range_u8
                     : b.dtype == DType::kInt16 ? kernels.range_s16
                                                : kernels.range_u16;
  const bool by_row = b.column_stride <= b.row_stride;
  int64_t outer = by_row ? b.rows : b.columns, inner = by_row ? b.columns : b.rows;
  const int64_t outer_stride = by_row ? b.row_stride : b.column_stride;
  const int64_t inner_stride = by_row ? b.column_stride : b.row_stride;
  const bool dense = inner_stride == 1;
  if (dense && outer_stride == inner) {
    inner *= outer;
    outer = 1;
  }
  const auto bytes = static_cast<int64_t>(byte_size(b.dtype));
  Range range = {std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()};
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; i += dense ? inner : 1) {
      Range part;
      of(static_cast<const std::byte*>(b.data) + (o * outer_stride + i * inner_stride) * bytes, dense ? inner : 1,
         &part.low, &part.high);
      range = {std::min(range.low, part.low), std::max(range.high, part.high)};
    }
  }
  return range;
}

std::ptrdiff_t round_up(std::ptrdiff_t n, std::ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

// Cuts [0, steps) so that no column's weight over a part passes `limit`; part(begin, end) gets the parts, each as long
// as possible. weigh(step, count, weights) has the columns' weights of some steps. Returns whether it could, in at most
// `most` parts.
template <typename Weigh, typename Part>
bool cut(int64_t steps, int width, int64_t limit, int64_t most, const Weigh& weigh, const Part& part) {
  constexpr int64_t kLeap = 16;
  Columns run = {}, weight = {};
  const auto fits = [&](int64_t step, int64_t count) {
    weigh(step, count, weight.data());
    int64_t heaviest = 0;
    for (size_t c = 0; c < static_cast<size_t>(width); ++c)
      heaviest = std::max<int64_t>(heaviest, int64_t{run[c]} + weight[c]);
    if (heaviest > limit) return false;
    for (size_t c = 0; c < static_cast<size_t>(width); ++c) run[c] += weight[c];
    return true;
  };
  int64_t begin = 0, parts = 1;
  for (int64_t step = 0; step < steps;) {
    if (step + kLeap <= steps && fits(step, kLeap)) {
      step += kLeap;
      continue;
    }
    // The end of the part is in this leap, most likely: look for it step by step.
    const int64_t end = std::min(steps, step + kLeap);
    for (; step < end; ++step) {
      if (fits(step, 1)) continue;
      part(begin, step);
      begin = step;
      run = {};
      if (++parts > most || !fits(step, 1)) return false;
      ++step;
      break;
    }
  }
  part(begin, steps);
  return true;
}

}  // namespace

PackedB::PackedB(const MatrixView& b, DType a_dtype, int32_t a_zero_point, const PackOptions& options)
    : isa_(current_isa()),
      kernels_(&micro_kernels(isa_)),
      k_(b.rows),
      columns_(b.columns),
      panels_(options.allocator),
      chunks_(options.allocator),
      wrap_init_(options.allocator),
      offset_(options.allocator),
      sum_bound_(options.allocator),
      magnitude_(options.allocator) {
  choose_form(b, a_dtype, a_zero_point, options.whole_sums);
  lay_out_panels(options.allocator);
  pack_panels(b);
  if (product_ == Product::kPairsAndHighBytes && pairs_are_better()) product_ = Product::kPairs;
  describe_rows(a_dtype);
  if (product_ == Product::kPairsAndHighBytes)
    high_ = AlignedBuffer(kernels_->has_quads ? data_.size() / 2 : data_.size(), options.allocator);
  for (Panel& panel : panels_) cut_panel(panel, options.whole_sums);
  if (options.compact && product_ == Product::kPairs && is_8bit(b.dtype) && k_ >= kLeastCompact)
    make_compact(options.allocator);
}

// The packed elements of an 8-bit B fit int8: see choose_form.
void PackedB::make_compact(Allocator* allocator) {
  AlignedBuffer bytes(data_.size() / 2, allocator);
  for (size_t i = 0; i < bytes.size(); ++i) {
    int16_t element;
    std::memcpy(&element, data_.data() + 2 * i, sizeof(element));
    bytes.data()[i] = static_cast<std::byte>(element);
  }
  data_ = std::move(bytes);
  for (Panel& panel : panels_) panel.cells /= 2;
  cell_bytes_ = 2;
}

void PackedB::choose_form(const MatrixView& b, DType a_dtype, int32_t a_zero_point, bool whole_sums) {
  const bool b8 = is_8bit(b.dtype), a8 = is_8bit(a_dtype);
  const Range range = range_of(b, *kernels_);
  const Range folded = {range.low - b.zero_point, range.high - b.zero_point};
  const bool fits = b8 ? folded.within(-128, 127) : folded.within(-32768, 32767);
  fold_ = fits ? b.zero_point : is_unsigned(b.dtype) ? (b8 ? 128 : 32768) : 0;
  b_zero_point_ = b.zero_point - fold_;
  row_factor_ = -b_zero_point_;

  product_ = a8 && b8 && kernels_->has_quads ? Product::kQuads
             : a8 || b8 || whole_sums        ? Product::kPairs
                                             : Product::kPairsAndHighBytes;
  a_zero_point_ = a_zero_point;
  if (product_ == Product::kQuads) {
    a_bound_ = kernels_->quads_take_unsigned ? 255 : 128;
    if (is_unsigned(a_dtype) != kernels_->quads_take_unsigned) {
      row_form_.flip = 0x80;
      a_zero_point_ += is_unsigned(a_dtype) ? -128 : 128;
    }
  } else if (a8) {
    a_bound_ = is_unsigned(a_dtype) ? 255 : 128;
  } else {
    a_bound_ = 32768;
    if (is_unsigned(a_dtype)) {
      row_form_.flip = 0x8000;
      a_zero_point_ -= 32768;
    }
  }
}

void PackedB::describe_rows(DType a_dtype) {
  RowForm& form = row_form_;
  form.dtype = a_dtype;
  form.k = k_;
  form.element_bytes = product_ == Product::kQuads ? 1 : 2;
  if (product_ == Product::kQuads) {
    form.copy = kernels_->copy_8_to_8;
  } else if (is_8bit(a_dtype)) {
    form.copy = is_unsigned(a_dtype) ? kernels_->copy_u8_to_16 : kernels_->copy_s8_to_16;
  } else {
    form.copy = kernels_->copy_16_to_16;
  }
  const std::ptrdiff_t padded_k = round_up(k_, kStep);
  form.high_offset = round_up(padded_k * form.element_bytes, kCacheLine);
  form.high_bytes = product_ == Product::kPairsAndHighBytes ? (kernels_->has_quads ? 1 : 2) : 0;
  // An odd number of cache lines, so that the rows of a tile do not compete for the same sets of the cache.
  form.stride =
      round_up(form.high_offset + padded_k * form.high_bytes, kCacheLine) | static_cast<std::ptrdiff_t>(kCacheLine);
}

void PackedB::lay_out_panels(Allocator* allocator) {
  const std::ptrdiff_t padded_k = round_up(k_, kStep);
  std::ptrdiff_t bytes = 0, high_bytes = 0;
  for (int64_t column = 0; column < columns_;) {
    Panel panel = {};
    panel.first_column = column;
    const int64_t left = columns_ - column;
    panel.vectors =
        static_cast<int>(std::min<int64_t>(kernels_->max_vectors, (left + kernels_->lanes - 1) / kernels_->lanes));
    const int width = panel.vectors * kernels_->lanes;
    panel.columns = static_cast<int>(std::min<int64_t>(left, width));
    panel.cells = bytes;
    panel.high = high_bytes;
    // padded_k is a multiple of 4: rows of the panel are whole vectors, so whatever follows stays aligned.
    bytes += padded_k * width * (product_ == Product::kQuads ? 1 : 2);
    high_bytes += padded_k * width * (kernels_->has_quads ? 1 : 2);
    padded_columns_ += width;
    column += panel.columns;
    panels_.push_back(panel);
  }
  data_ = AlignedBuffer(static_cast<size_t>(bytes), allocator);
}

const std::byte* PackedB::cells_at(const Panel& panel, int64_t cell) const {
  return data_.data() + panel.cells + cell * panel.vectors * kernels_->lanes * kStep;
}

// Fills data_, and what follows from the sums of columns.
void PackedB::pack_panels(const MatrixView& b) {
  const bool quads = product_ == Product::kQuads;
  const PackCells pack = quads                      ? kernels_->pack_quads
                         : b.dtype == DType::kInt8  ? kernels_->pack_pairs_s8
                         : b.dtype == DType::kUInt8 ? kernels_->pack_pairs_u8
                                                    : kernels_->pack_pairs_16;
  const ScanCells scan = quads ? kernels_->scan_quads : kernels_->scan_pairs;
  const auto bytes = static_cast<std::ptrdiff_t>(twofold::byte_size(b.dtype));
  const int64_t padded_k = round_up(k_, kStep), cells = padded_k / (quads ? 4 : 2);
  offset_.assign(static_cast<size_t>(padded_columns_), 0);
  sum_bound_.assign(static_cast<size_t>(padded_columns_), 0);
  magnitude_.assign(static_cast<size_t>(padded_columns_), 0);
  for (const Panel& panel : panels_) {
    const int width = panel.vectors * kernels_->lanes;
    pack({.data = static_cast<const std::byte*>(b.data) + panel.first_column * b.column_stride * bytes,
          .row_stride = b.row_stride * bytes,
          .column_stride = b.column_stride * bytes,
          .rows = k_,
          .padded_rows = padded_k,
          .columns = panel.columns,
          .width = width,
          .fold = fold_},
         data_.data() + panel.cells);
    std::array<int64_t, kMaxWidth> sums = {};
    for (int64_t cell = 0; cell < cells; cell += kScan) {
      Columns sum, weight;
      scan(cells_at(panel, cell), std::min(kScan, cells - cell), width, sum.data(), weight.data());
      for (size_t c = 0; c < static_cast<size_t>(width); ++c) {
        sums[c] += sum[c];
        magnitude_[static_cast<size_t>(panel.first_column) + c] += weight[c];
      }
    }
    for (size_t c = 0; c < static_cast<size_t>(width); ++c) {
      const size_t at = static_cast<size_t>(panel.first_column) + c;
      sum_bound_[at] = static_cast<double>(a_bound_) * static_cast<double>(magnitude_[at]);
      offset_[at] = static_cast<double>(k_ * a_zero_point_ * b_zero_point_ - a_zero_point_ * sums[c]);
      check_sums_are_exact(sum_bound_[at] + std::abs(offset_[at]), k_);
    }
  }
}

// Whether no panel needs chunks of pairs that are, on average, shorter than kGoodChunk.
bool PackedB::pairs_are_better() const {
  const int64_t limit = std::numeric_limits<int32_t>::max() / a_bound_, most = std::max<int64_t>(1, k_ / kGoodChunk);
  return std::ranges::all_of(panels_, [&](const Panel& panel) {
    const int width = panel.vectors * kernels_->lanes;
    const auto first = magnitude_.begin() + panel.first_column;
    const int64_t heaviest = *std::max_element(first, first + width);
    if (heaviest <= limit) return true;
    if (heaviest / limit >= most) return false;
    const auto weigh = [&](int64_t step, int64_t count, int32_t* weights) {
      Columns sums;
      kernels_->scan_pairs(cells_at(panel, step * 2), count * 2, width, sums.data(), weights);
    };
    return cut(round_up(k_, kStep) / kStep, width, limit, most, weigh, [](int64_t, int64_t) {});
  });
}

// One chunk of a panel, in steps.
void PackedB::add_chunk(const Panel& panel, int64_t begin, int64_t end) {
  const int64_t per_step = product_ == Product::kQuads ? 1 : 2;
  Chunk chunk = {begin * per_step, end * per_step, static_cast<std::ptrdiff_t>(wrap_init_.size())};
  if (product_ == Product::kPairsAndHighBytes) {
    // 2^15 e = 2^16 E - 2^15 (2 bias - 1) sum wh. W starts at the second term, so that the kernels have r = W - 2^16 E;
    // offset takes it back.
    const int width = panel.vectors * kernels_->lanes;
    std::array<int64_t, kMaxWidth> high_sums = {};
    for (int64_t cell = chunk.begin; cell < chunk.end; cell += kScan) {
      Columns sums, weights;
      kernels_->scan_parts(cells_at(panel, cell), std::min(kScan, chunk.end - cell), width, sums.data(),
                           weights.data());
      for (size_t c = 0; c < static_cast<size_t>(width); ++c) high_sums[c] += sums[c];
    }
    for (size_t c = 0; c < static_cast<size_t>(width); ++c) {
      const int64_t start = 32768 * (2 * kernels_->high_bias - 1) * high_sums[c];
      wrap_init_.push_back(static_cast<int32_t>(static_cast<uint32_t>(start)));
      offset_[static_cast<size_t>(panel.first_column) + c] -= static_cast<double>(start);
    }
  }
  chunks_.push_back(chunk);
}

// Fills high_, and cuts the panel into chunks.
void PackedB::cut_panel(Panel& panel, bool whole_sums) {
  const int width = panel.vectors * kernels_->lanes;
  const int64_t steps = round_up(k_, kStep) / kStep;
  const bool split = product_ == Product::kPairsAndHighBytes, quads = product_ == Product::kQuads;
  const int64_t limit = split ? 65533 : std::numeric_limits<int32_t>::max() / a_bound_;
  const ScanCells scan = split ? kernels_->scan_parts : quads ? kernels_->scan_quads : kernels_->scan_pairs;
  panel.first_chunk = chunks_.size();
  if (split) kernels_->pack_high(cells_at(panel, 0), steps * 2, width, high_.data() + panel.high);
  const auto first = magnitude_.begin() + panel.first_column;
  if (whole_sums || (!split && *std::max_element(first, first + width) <= limit)) {
    add_chunk(panel, 0, steps);
  } else {
    const int64_t cells = quads ? 1 : 2;
    const auto weigh = [&](int64_t step, int64_t count, int32_t* weights) {
      Columns sums;
      scan(cells_at(panel, step * cells), count * cells, width, sums.data(), weights);
    };
    const auto part = [&](int64_t begin, int64_t end) { add_chunk(panel, begin, end); };
    TWOFOLD_CHECK(cut(steps, width, limit, std::numeric_limits<int64_t>::max(), weigh, part));
  }
  panel.chunks = chunks_.size() - panel.first_chunk;
}

}  // namespace twofold::kernels
