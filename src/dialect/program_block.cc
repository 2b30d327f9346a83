#include "dialect/program_block.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "numeric/quantize.h"

namespace twofold {

namespace {

// A part of a block, of at most kProgramBlock elements.
struct Piece {
  int64_t row, rows, column, columns;
  int64_t size() const { return rows * columns; }
};

// Whether the rows of a piece lie one behind the other.
bool is_dense(int64_t row_stride, const Piece& piece) { return row_stride == piece.columns || piece.rows == 1; }

using Scratch = std::array<float, kProgramBlock>;

// Fills x with `rows` copies of its first `columns` elements.
void repeat(float* x, int64_t columns, int64_t rows) {
  for (int64_t done = 1; done < rows;) {
    const int64_t more = std::min(done, rows - done);
    std::copy_n(x, more * columns, x + done * columns);
    done += more;
  }
}

// An operand's numbers for a piece, one for each element, or one for all (`step` 0).
struct Numbers {
  const float* values;
  int64_t step;
};

Numbers load(const BlockOperand& operand, const Piece& piece, float* scratch) {
  const int64_t first = operand.offset + piece.row * operand.row_stride + piece.column * operand.step;
  const auto read = [&](int64_t row, int64_t n, float* to) {
    return load_stored(*operand.form, operand.data, first + row * operand.row_stride, n, to);
  };
  if (operand.step == 0 && (operand.row_stride == 0 || piece.rows == 1)) return {read(0, 1, scratch), 0};
  if (operand.step == 1 && is_dense(operand.row_stride, piece)) return {read(0, piece.size(), scratch), 1};
  if (operand.step == 0) {
    for (int64_t r = 0; r < piece.rows; ++r) {
      float* to = scratch + r * piece.columns;
      std::fill_n(to, piece.columns, *read(r, 1, to));
    }
    return {scratch, 1};
  }
  if (operand.row_stride == 0) {
    const float* values = read(0, piece.columns, scratch);
    if (values != scratch) std::copy_n(values, piece.columns, scratch);
    repeat(scratch, piece.columns, piece.rows);
    return {scratch, 1};
  }
  // Rows that lie apart are collected as they are stored, since a call for each costs more than copying them.
  alignas(64) std::array<std::byte, kProgramBlock * sizeof(float)> stored;
  const size_t bytes = byte_size(operand.form->dtype), row_bytes = static_cast<size_t>(piece.columns) * bytes;
  for (int64_t r = 0; r < piece.rows; ++r) {
    std::memcpy(stored.data() + static_cast<size_t>(r) * row_bytes,
                operand.data + static_cast<size_t>(first + r * operand.row_stride) * bytes, row_bytes);
  }
  const float* values = load_stored(*operand.form, stored.data(), 0, piece.size(), scratch);
  if (values != scratch) std::copy_n(values, piece.size(), scratch);
  return {scratch, 1};
}

void save(const BlockPlace& place, const Piece& piece, const float* y) {
  const int64_t first = place.offset + piece.row * place.row_stride + piece.column;
  std::byte* to = place.data + first * static_cast<int64_t>(byte_size(place.form->dtype));
  if (is_dense(place.row_stride, piece)) return save_stored(*place.form, y, 1, piece.size(), to, 0);
  save_stored(*place.form, y, piece.rows, piece.columns, to, place.row_stride);
}

void run_piece(const FloatProgram& program, float* y, const Piece& piece, std::span<const BlockOperand> operands,
               std::span<const BlockPlace> places) {
  alignas(64) Scratch scratch;
  for (const FloatStep& step : program.steps) {
    const int operand = operand_of(step);
    Numbers numbers = {nullptr, 0};
    if (operand >= 0) numbers = load(operands[static_cast<size_t>(operand)], piece, scratch.data());
    run_step(step, y, piece.size(), numbers.values, numbers.step);
  }
  for (const BlockPlace& place : places) save(place, piece, y);
}

template <typename T>
void add_as(const BlockOperand& a, const BlockOperand& b, const BlockPlace& place, const Piece& piece) {
  const bool dense =
      is_dense(a.row_stride, piece) && is_dense(b.row_stride, piece) && is_dense(place.row_stride, piece);
  const auto first = [&piece](const auto& part) { return part.offset + piece.row * part.row_stride + piece.column; };
  const auto rows_of = [&](const BlockOperand& operand) {
    return QuantizedRows<T>{reinterpret_cast<const T*>(operand.data) + first(operand),
                            static_cast<size_t>(operand.row_stride), operand.form->scale, operand.form->zero_point};
  };
  const StoredForm& form = *place.form;
  add_quantized<T>(rows_of(a), rows_of(b), static_cast<size_t>(dense ? 1 : piece.rows),
                   static_cast<size_t>(dense ? piece.size() : piece.columns), form.scale, form.zero_point, form.low,
                   form.high, reinterpret_cast<T*>(place.data) + first(place), static_cast<size_t>(place.row_stride));
}

using AddPiece = void (*)(const BlockOperand& a, const BlockOperand& b, const BlockPlace& place, const Piece& piece);

// For the commonest program, a sum of two tensors of integers, which takes no float32 between; null for any other.
AddPiece sum_of(const FloatProgram& program, const BlockOperand& source, std::span<const BlockOperand> operands,
                std::span<const BlockPlace> places) {
  if (program.steps.size() != 1 || operands.size() != 1 || places.size() != 1) return nullptr;
  const auto* step = std::get_if<BinaryStep>(&program.steps[0]);
  if (step == nullptr || step->op != BinaryOp::kAdd || step->operand != 0) return nullptr;
  const DType dtype = places[0].form->dtype;
  const auto fits = [dtype](const BlockOperand& operand) { return operand.form->dtype == dtype && operand.step == 1; };
  if (!fits(source) || !fits(operands[0])) return nullptr;
  switch (dtype) {
    case DType::kInt8: return add_as<int8_t>;
    case DType::kUInt8: return add_as<uint8_t>;
    case DType::kInt16: return add_as<int16_t>;
    case DType::kUInt16: return add_as<uint16_t>;
    default: return nullptr;
  }
}

// Whole rows, as many as fit, or parts of one.
template <typename Body>
void for_each_piece(int64_t rows, int64_t columns, const Body& body) {
  const int64_t step_rows = std::max<int64_t>(1, kProgramBlock / columns);
  const int64_t step_columns = std::min(columns, kProgramBlock);
  for (int64_t r = 0; r < rows; r += step_rows) {
    for (int64_t c = 0; c < columns; c += step_columns)
      body(Piece{r, std::min(step_rows, rows - r), c, std::min(step_columns, columns - c)});
  }
}

}  // namespace

void run_block(const FloatProgram& program, float* y, int64_t rows, int64_t columns,
               std::span<const BlockOperand> operands, std::span<const BlockPlace> places) {
  for_each_piece(rows, columns, [&](const Piece& piece) {
    run_piece(program, y + piece.row * columns + piece.column, piece, operands, places);
  });
}

void run_block(const FloatProgram& program, const BlockOperand& source, int64_t rows, int64_t columns,
               std::span<const BlockOperand> operands, std::span<const BlockPlace> places) {
  if (const AddPiece add = sum_of(program, source, operands, places); add != nullptr) {
    return for_each_piece(rows, columns, [&](const Piece& piece) { add(source, operands[0], places[0], piece); });
  }
  alignas(64) Scratch y;
  for_each_piece(rows, columns, [&](const Piece& piece) {
    const Numbers numbers = load(source, piece, y.data());
    if (numbers.step == 0) {
      std::fill_n(y.data(), piece.size(), *numbers.values);
    } else if (numbers.values != y.data()) {
      std::copy_n(numbers.values, piece.size(), y.data());
    }
    run_piece(program, y.data(), piece, operands, places);
  });
}

}  // namespace twofold
