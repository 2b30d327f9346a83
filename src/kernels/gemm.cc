#include "kernels/gemm.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold::kernels {

namespace {

// Bytes of packed rows that one thread works on at a time: they stay in the L2 cache, beside a panel of B.
constexpr std::ptrdiff_t kBlockBytes = 192 << 10;
constexpr int64_t kMaxBlockRows = 240;
// Multiplications below which a thread is not worth waking.
constexpr int64_t kMinWork = 1 << 17;

constexpr std::array<int32_t, kMaxTileVectors* kMaxLanes> kZeros = {};

int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// One thread's part of a product: rows [begin, begin + count) times some panels.
class Worker {
 public:
  Worker(const RowSource& a, const PackedB& b, const Requantizer& requantizer, std::span<const OutputRows> outputs,
         const BlockSink* sink, int64_t first_column)
      : a_(a),
        b_(b),
        kernels_(b.kernels()),
        requantizer_(requantizer),
        outputs_(outputs),
        sink_(sink),
        first_column_(first_column) {}

  void run(int64_t begin, int64_t count, std::span<const PackedB::Panel> panels);

 private:
  void pack(int64_t begin, int64_t count);
  void pack_rows(int64_t begin, int64_t count, std::byte* rows);
  int64_t sum_of_row(const std::byte* row) const;
  void tile(const PackedB::Panel& panel, int64_t first_row, int64_t row, int rows);
  void dot_chunk(const PackedB::Panel& panel, const PackedB::Chunk& chunk, int64_t row, int rows, const int32_t* init,
                 const int32_t* high_init = kZeros.data());
  void sum_chunks(const PackedB::Panel& panel, int64_t row, int rows);
  FusedKernel fused_kernel(const PackedB::Panel& panel) const;
  void run_fused(FusedKernel kernel, const PackedB::Panel& panel, int64_t first_row, int64_t count);
  TileOutput place(size_t output, const PackedB::Panel& panel, int64_t first_row, int64_t row) const;

  const RowSource& a_;
  const PackedB& b_;
  const MicroKernels& kernels_;
  const Requantizer& requantizer_;
  std::span<const OutputRows> outputs_;
  const BlockSink* sink_;
  int64_t first_column_;
  const std::byte *rows_ = nullptr, *high_rows_ = nullptr;  // packed, or as good as that; and their high bytes
  std::ptrdiff_t row_stride_ = 0;                           // bytes; that of high bytes is the packed form's
  std::byte* block_ = nullptr;                              // for the sink: rows of the block by columns of the panel
  double* row_offset_ = nullptr;                            // row_factor * sum of a row
  alignas(kCacheLine) std::array<int32_t, kMaxTileSize> acc_, high_;
  alignas(kCacheLine) std::array<double, kMaxTileSize> sums_;
};

// Packed rows, and what goes to the sink, stay allocated for the next product.
AlignedBuffer& scratch() {
  thread_local AlignedBuffer buffer;
  return buffer;
}
AlignedBuffer& sink_scratch() {
  thread_local AlignedBuffer buffer;
  return buffer;
}

void Worker::pack(int64_t begin, int64_t count) {
  const RowForm& form = b_.row_form();
  const std::ptrdiff_t offsets = round_up(count * static_cast<int64_t>(sizeof(double)), kCacheLine);
  const RowsInPlace in_place = b_.row_factor() == 0 ? a_.in_place(begin, form) : RowsInPlace{};
  const bool packs = in_place.first == nullptr;
  std::byte* memory = scratch().at_least(static_cast<size_t>(offsets + count * form.stride));
  row_offset_ = reinterpret_cast<double*>(memory);
  std::fill_n(row_offset_, count, 0.0);
  std::byte* const packed = memory + offsets;
  rows_ = packs ? packed : in_place.first;
  row_stride_ = packs ? form.stride : in_place.stride;
  high_rows_ = packed + form.high_offset;
  if (packs) pack_rows(begin, count, packed);
  // Beyond K, up to whole cache lines, there is room for what happens to be there, in packed rows.
  const std::ptrdiff_t n = round_up(form.k, packs ? 32 : 4);
  if (form.high_bytes > 0) kernels_.high_bytes({rows_, row_stride_, count, n, packed + form.high_offset, form.stride});
}

void Worker::pack_rows(int64_t begin, int64_t count, std::byte* rows) {
  const RowForm& form = b_.row_form();
  // The last four elements of a row, of which some may be beyond K, are zero until others take their place.
  const std::ptrdiff_t padded_k = round_up(form.k, 4), last = (padded_k - 4) * form.element_bytes;
  for (int64_t r = 0; padded_k > form.k && r < count; ++r)
    std::memset(rows + r * form.stride + last, 0, form.element_bytes == 1 ? 4 : 8);
  a_.pack(begin, count, {form, rows});
  for (int64_t r = 0; b_.row_factor() != 0 && r < count; ++r)
    row_offset_[r] = b_.row_factor() * static_cast<double>(sum_of_row(rows + r * form.stride));
}

// Of the elements as they are packed.
int64_t Worker::sum_of_row(const std::byte* row) const {
  const RowForm& form = b_.row_form();
  int64_t sum = 0;
  if (form.element_bytes == 2) {
    for (int64_t k = 0; k < form.k; ++k) sum += reinterpret_cast<const int16_t*>(row)[k];
  } else if (kernels_.quads_take_unsigned) {
    for (int64_t k = 0; k < form.k; ++k) sum += reinterpret_cast<const uint8_t*>(row)[k];
  } else {
    for (int64_t k = 0; k < form.k; ++k) sum += reinterpret_cast<const int8_t*>(row)[k];
  }
  return sum;
}

// Fills acc_, starting from `init`, and high_, from `high_init`, where the product wants it.
void Worker::dot_chunk(const PackedB::Panel& panel, const PackedB::Chunk& chunk, int64_t row, int rows,
                       const int32_t* init, const int32_t* high_init) {
  const std::ptrdiff_t width = static_cast<std::ptrdiff_t>(panel.vectors) * kernels_.lanes;
  const int64_t cells = chunk.end - chunk.begin;
  const auto run = [&](const auto& tiles, auto&&... operands) { tiles[panel.vectors - 1][rows - 1](operands...); };
  run(b_.product() == Product::kQuads ? kernels_.quads
      : b_.cell_bytes() == 2          ? kernels_.byte_pairs
                                      : kernels_.pairs,
      rows_ + row * row_stride_ + chunk.begin * 4, row_stride_,
      b_.data() + panel.cells + chunk.begin * width * b_.cell_bytes(), cells, init, acc_.data());
  if (b_.product() != Product::kPairsAndHighBytes) return;
  const int64_t per_high = kernels_.has_quads ? 2 : 1;  // pair cells
  const int64_t first = chunk.begin / per_high;
  run(kernels_.has_quads ? kernels_.quads : kernels_.pairs, high_rows_ + row * b_.row_form().stride + first * 4,
      b_.row_form().stride, b_.high_data() + panel.high + first * width * 4, cells / per_high, high_init, high_.data());
}

// Fills sums_.
void Worker::sum_chunks(const PackedB::Panel& panel, int64_t row, int rows) {
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(rows) * panel.vectors * kernels_.lanes;
  bool first = true;
  for (const PackedB::Chunk& chunk : b_.chunks(panel)) {
    if (b_.product() == Product::kPairsAndHighBytes) {
      dot_chunk(panel, chunk, row, rows, b_.wrap_init() + chunk.init);
      kernels_.combine(acc_.data(), high_.data(), size, first, sums_.data());
    } else {
      dot_chunk(panel, chunk, row, rows, kZeros.data());
      kernels_.flush(acc_.data(), size, first, sums_.data());
    }
    first = false;
  }
}

void Worker::tile(const PackedB::Panel& panel, int64_t first_row, int64_t row, int rows) {
  const int width = panel.vectors * kernels_.lanes;
  const TileShape shape = {.rows = rows, .columns = panel.columns, .width = width};
  const bool high = b_.product() == Product::kPairsAndHighBytes, one_chunk = panel.chunks == 1;
  SumsKind kind = SumsKind::kDouble;
  if (one_chunk && high && requantizer_.fits_high_bytes()) {
    kind = SumsKind::kHighBytes;
    dot_chunk(panel, b_.chunks(panel)[0], row, rows, requantizer_.wrap_start() + panel.first_column,
              requantizer_.high_start() + panel.first_column);
  } else if (one_chunk && !high && requantizer_.fits_int32()) {
    kind = SumsKind::kInt32;
    dot_chunk(panel, b_.chunks(panel)[0], row, rows, requantizer_.int32_offset() + panel.first_column);
  } else {
    sum_chunks(panel, row, rows);
  }
  const TileSums sums = {acc_.data(), high_.data(), sums_.data(), requantizer_.offset() + panel.first_column,
                         row_offset_ + row};
  for (size_t i = 0; i < requantizer_.outputs().size(); ++i) {
    const auto output = static_cast<size_t>(requantizer_.outputs()[i].kind);
    kernels_.requantize_tile[static_cast<size_t>(kind)][output](sums, shape, place(i, panel, first_row, row));
  }
}

// Where the tile goes that begins `row` rows after the first.
TileOutput Worker::place(size_t output, const PackedB::Panel& panel, int64_t first_row, int64_t row) const {
  if (output < outputs_.size()) {
    const OutputRows& to = outputs_[output];
    return requantizer_.at(output, to.data, to.row_stride, first_row + row, panel.first_column);
  }
  const std::ptrdiff_t before = row * panel.columns * requantizer_.outputs()[output].bytes;
  return requantizer_.in_block(block_ + before, panel.columns, panel.first_column);
}

// The kernel that makes the only output of a panel from dots, where there is one and it is faster than a tile that is
// then requantized; else null.
FusedKernel Worker::fused_kernel(const PackedB::Panel& panel) const {
  const Requantizer::Output* output = requantizer_.fusible_output();
  if (output == nullptr || panel.chunks != 1 || b_.chunks(panel)[0].end > kernels_.max_fused_cells) return nullptr;
  const auto kind = static_cast<size_t>(output->kind);
  if (b_.product() == Product::kPairsAndHighBytes)
    return requantizer_.fits_high_bytes() ? kernels_.fused_high_bytes[kind][panel.vectors - 1] : nullptr;
  if (!requantizer_.fits_int32()) return nullptr;
  return (b_.product() == Product::kQuads ? kernels_.fused_quads
          : b_.cell_bytes() == 2          ? kernels_.fused_byte_pairs
                                          : kernels_.fused_pairs)[kind][panel.vectors - 1];
}

void Worker::run_fused(FusedKernel kernel, const PackedB::Panel& panel, int64_t first_row, int64_t count) {
  const int64_t cells = b_.chunks(panel)[0].end;
  const bool high = b_.product() == Product::kPairsAndHighBytes;
  const int64_t c = panel.first_column;
  kernel({.a = rows_,
          .a_stride = row_stride_,
          .rows = count,
          .b = b_.data() + panel.cells,
          .cells = cells,
          .start = (high ? requantizer_.wrap_start() : requantizer_.int32_offset()) + c,
          .high_a = high_rows_,
          .high_stride = b_.row_form().stride,
          .high_b = high ? b_.high_data() + panel.high : nullptr,
          .high_cells = kernels_.has_quads ? cells / 2 : cells,
          .high_start = high ? requantizer_.high_start() + c : nullptr,
          .columns = panel.columns},
         place(0, panel, first_row, 0));
}

void Worker::run(int64_t begin, int64_t count, std::span<const PackedB::Panel> panels) {
  pack(begin, count);
  for (const PackedB::Panel& panel : panels) {
    if (sink_ != nullptr) {
      block_ =
          sink_scratch().at_least(static_cast<size_t>(count * panel.columns * requantizer_.outputs().back().bytes));
    }
    const int64_t step = kernels_.max_rows[panel.vectors - 1];
    const FusedKernel fused = fused_kernel(panel);
    if (fused != nullptr) run_fused(fused, panel, begin, count);
    for (int64_t row = 0; fused == nullptr && row < count; row += step) {
      tile(panel, begin, row, static_cast<int>(std::min(step, count - row)));
    }
    if (sink_ != nullptr) sink_->take(block_, begin, count, first_column_ + panel.first_column, panel.columns);
  }
}

}  // namespace

void gemm(const RowSource& a, const PackedB& b, const Requantizer& requantizer, std::span<const OutputRows> outputs,
          const BlockSink* sink, int64_t first_column) {
  TWOFOLD_CHECK(a.k() == b.k() && a.dtype() == b.row_form().dtype);
  TWOFOLD_CHECK(outputs.size() + (sink != nullptr ? 1 : 0) == requantizer.outputs().size());
  const int64_t m = a.rows();
  if (m == 0 || b.columns() == 0) return;
  const int64_t tile_rows = b.kernels().max_rows[b.panels().front().vectors - 1];
  const int64_t threads = num_threads();
  // Blocks of rows, as large as the cache allows and as even as the threads want; where there are fewer of them than
  // threads, the panels are shared out too.
  const int64_t most = std::clamp<int64_t>(kBlockBytes / b.row_form().stride, tile_rows, kMaxBlockRows);
  const int64_t rounds = (m + threads * most - 1) / (threads * most);
  const int64_t block_rows = round_up((m + threads * rounds - 1) / (threads * rounds), tile_rows);
  const int64_t blocks = (m + block_rows - 1) / block_rows;
  const auto panels = static_cast<int64_t>(b.panels().size());
  const int64_t cuts = blocks >= threads ? 1 : std::min(panels, (threads + blocks - 1) / blocks);
  const int64_t tasks = blocks * cuts;
  const int64_t work = std::max<int64_t>(1, m * b.columns() * std::max<int64_t>(1, b.k()) / tasks);
  parallel_for(tasks, (kMinWork + work - 1) / work, [&](int64_t begin, int64_t end) {
    Worker worker(a, b, requantizer, outputs, sink, first_column);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / cuts * block_rows, cut = task % cuts;
      const auto first = static_cast<size_t>(panels * cut / cuts),
                 last = static_cast<size_t>(panels * (cut + 1) / cuts);
      worker.run(row, std::min(block_rows, m - row), b.panels().subspan(first, last - first));
    }
  });
}

}  // namespace twofold::kernels
