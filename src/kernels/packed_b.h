// The right operand of an integer product, laid out for the kernels of one instruction set.
#ifndef TWOFOLD_SRC_KERNELS_PACKED_B_H_
#define TWOFOLD_SRC_KERNELS_PACKED_B_H_

#include <cstdint>
#include <span>

#include "kernels/aligned_buffer.h"
#include "kernels/isa.h"
#include "kernels/matrix_view.h"
#include "kernels/row_source.h"

namespace twofold::kernels {

// How a product is computed. Below, x are the elements of A and w those of B as they are packed.
enum class Product : uint8_t {
  kQuads,  // dots of four 8-bit elements
  kPairs,  // dots of two 16-bit elements; 8-bit ones are widened
  // Full 16 x 16 bits in one and a half passes of dots. With x = 256 xh + xl, 0 <= xl < 256, and w = 256 wh + wl:
  //   E = sum (xh + bias) wh        a dot of the high bytes, exact; bias 128 makes them unsigned
  //   W = sum x w mod 2^32          the pair dot, which wraps
  //   S = sum x w = 2^15 e + r,     e = sum (2 xh + 1) wh = 2 E - (2 bias - 1) sum wh
  // r = sum ((xl - 128) 256 wh + x wl) is at most 2^15 sum (|wh| + |wl|) in magnitude: while that sum stays below
  // 65534, r fits int32, also with 16 bits of an offset added to it, and is (W - 2^15 e) mod 2^32. |w| <= 32639 splits
  // into wh, wl in [-128, 127], so K <= 255 always fits; a w above that has wh = 127 and wl up to 255.
  kPairsAndHighBytes,
};

struct PackOptions {
  // K is not cut and kPairs takes the place of kPairsAndHighBytes: whether sums fit int32 is for the caller to see
  // (PackedB::sum_bound).
  bool whole_sums = false;
  // 8-bit elements that are multiplied in pairs stay bytes, which kernels widen as they load them. Half the memory and
  // its traffic, for a B that is read again and again.
  bool compact = false;
  // Of all that is made, and to outlive it; nullptr: the heap.
  Allocator* allocator = nullptr;
};

// B [K,N], immutable and shareable by threads. Lies as panels of columns, [panel][cell of K][column], K filled up with
// zeros. K is cut into chunks after which int32 accumulators are added up in double; where, follows from the values of
// B: the largest a that A's type has, times the sum of |b| over a chunk, fits int32 in every column.
class PackedB {
 public:
  struct Chunk {
    int64_t begin, end;       // cells of the first pass
    std::ptrdiff_t init = 0;  // where in wrap_init() the chunk's starting values begin
  };
  struct Panel {
    int64_t first_column;
    int columns, vectors;
    std::ptrdiff_t cells, high;  // bytes from data(), from high_data()
    size_t first_chunk, chunks;
  };

  // Packs `b` for A of type `a_dtype` with zero point `a_zero_point`, for current_isa(). Throws Error(kUnsupported) if
  // K is so large that an accumulator could pass 2^53.
  PackedB(const MatrixView& b, DType a_dtype, int32_t a_zero_point, const PackOptions& options = {});

  int64_t k() const { return k_; }
  int64_t columns() const { return columns_; }
  Isa isa() const { return isa_; }
  Product product() const { return product_; }
  // Of the packed elements.
  size_t byte_size() const { return data_.size() + high_.size(); }

  // Frees the packed elements, for kernels that have laid them out anew and use the rest only.
  void drop_elements() {
    data_ = {};
    high_ = {};
  }

  // For gemm and Requantizer. Arrays have an entry per column, up to padded_columns(), the panels' width.
  const MicroKernels& kernels() const { return *kernels_; }
  const RowForm& row_form() const { return row_form_; }
  std::span<const Panel> panels() const { return panels_; }
  std::span<const Chunk> chunks(const Panel& panel) const {
    return std::span<const Chunk>(chunks_).subspan(panel.first_chunk, panel.chunks);
  }
  int64_t padded_columns() const { return padded_columns_; }
  const std::byte* data() const { return data_.data(); }
  // Of a cell in data(): 4, or 2 where pairs are held as bytes.
  int cell_bytes() const { return cell_bytes_; }
  const std::byte* high_data() const { return high_.data(); }
  const int32_t* wrap_init() const { return wrap_init_.data(); }
  // acc = packed sum + offset[c] + row_factor * (sum of the packed row): what zero points and shifts come to.
  std::span<const double> offset() const { return offset_; }
  double row_factor() const { return row_factor_; }
  // Bound of the magnitude of a packed sum.
  std::span<const double> sum_bound() const { return sum_bound_; }

 private:
  void choose_form(const MatrixView& b, DType a_dtype, int32_t a_zero_point, bool whole_sums);
  void describe_rows(DType a_dtype);
  void lay_out_panels(Allocator* allocator);
  void pack_panels(const MatrixView& b);
  bool pairs_are_better() const;
  void cut_panel(Panel& panel, bool whole_sums);
  void add_chunk(const Panel& panel, int64_t begin, int64_t end);
  void make_compact(Allocator* allocator);
  const std::byte* cells_at(const Panel& panel, int64_t cell) const;

  Isa isa_;
  const MicroKernels* kernels_;
  int64_t k_, columns_, padded_columns_ = 0;
  Product product_ = Product::kPairs;
  int cell_bytes_ = 4;
  RowForm row_form_;
  int32_t fold_ = 0;          // subtracted from b when it is packed
  int32_t a_zero_point_ = 0;  // of the packed a
  int32_t b_zero_point_ = 0;  // of the packed b
  int64_t a_bound_ = 0;       // largest magnitude of a packed a
  AlignedBuffer data_, high_;
  AlignedVector<Panel> panels_;
  AlignedVector<Chunk> chunks_;
  AlignedVector<int32_t> wrap_init_;
  AlignedVector<double> offset_, sum_bound_;
  AlignedVector<int64_t> magnitude_;  // per column, of all of K
  double row_factor_ = 0;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_PACKED_B_H_
