// Where the rows of A come from. Rows are packed block by block, just before they are multiplied, so that a convolution
// never holds the matrix of its windows.
#ifndef TWOFOLD_SRC_KERNELS_ROW_SOURCE_H_
#define TWOFOLD_SRC_KERNELS_ROW_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/matrix_view.h"
#include "kernels/micro_kernels.h"

namespace twofold::kernels {

// How one row of A lies when it is packed: K elements as cells, zeros up to a whole cell, and, where the product wants
// them, the high bytes of the elements as cells of their own.
struct RowForm {
  DType dtype = DType::kInt8;  // of the source
  int64_t k = 0;
  uint32_t flip = 0;                 // bits to invert: signed <-> unsigned
  CopyRows copy = nullptr;           // converts runs of elements
  std::ptrdiff_t element_bytes = 1;  // in the packed row
  std::ptrdiff_t high_bytes = 0;     // per element, 0 where there are none
  std::ptrdiff_t stride = 0;         // bytes from one packed row to the next; the high bytes follow the cells
  std::ptrdiff_t high_offset = 0;    // bytes from a row's cells to its high bytes
};

// Packed rows as they are filled: runs of elements, in any order, until all K of all rows are there.
class PackedRows {
 public:
  PackedRows(const RowForm& form, std::byte* first) : form_(form), first_(first) {}
  PackedRows from(int64_t row) const { return {form_, first_ + row * form_.stride}; }
  // Elements [k, k + n) of the first `rows` rows become n contiguous elements each: those at `source`, and so many
  // bytes further from row to row.
  void copy(int64_t k, int64_t n, const void* source, std::ptrdiff_t source_stride = 0, int64_t rows = 1) const {
    form_.copy({static_cast<const std::byte*>(source), source_stride, rows, n, form_.flip,
                first_ + k * form_.element_bytes, form_.stride});
  }

 private:
  const RowForm& form_;
  std::byte* first_;
};

struct RowsInPlace {
  const std::byte* first = nullptr;
  std::ptrdiff_t stride = 0;  // bytes
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual int64_t rows() const = 0;
  virtual int64_t k() const = 0;
  virtual DType dtype() const = 0;
  // Packs rows [begin, begin + count) to `rows`. Called by several threads at once.
  virtual void pack(int64_t begin, int64_t count, const PackedRows& rows) const = 0;
  // The rows from `begin` on, where their cells lie in memory as they would lie packed but for the stride; else null.
  virtual RowsInPlace in_place(int64_t /*begin*/, const RowForm& /*form*/) const { return {}; }
};

// The rows of a matrix in memory.
class MatrixRows final : public RowSource {
 public:
  explicit MatrixRows(const MatrixView& a) : a_(a) {}
  int64_t rows() const override { return a_.rows; }
  int64_t k() const override { return a_.columns; }
  DType dtype() const override { return a_.dtype; }
  void pack(int64_t begin, int64_t count, const PackedRows& rows) const override;
  RowsInPlace in_place(int64_t begin, const RowForm& form) const override;

 private:
  const std::byte* row(int64_t r) const;

  MatrixView a_;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_ROW_SOURCE_H_
