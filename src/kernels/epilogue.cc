#include "kernels/epilogue.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace twofold::kernels {

namespace {

OutputKind kind_of(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kUInt8: return OutputKind::kInt8;
    case DType::kInt16:
    case DType::kUInt16: return OutputKind::kInt16;
    default: TWOFOLD_CHECK(dtype == DType::kFloat32); return OutputKind::kFloat32;
  }
}

}  // namespace

Epilogue::Epilogue(const PackedB& b, std::span<const int64_t> bias, std::span<const OutputForm> outputs)
    : offset_(b.offset().begin(), b.offset().end()) {
  const auto columns = static_cast<size_t>(b.columns()), padded = static_cast<size_t>(b.padded_columns());
  TWOFOLD_CHECK(bias.size() <= 1 || bias.size() == columns);
  fits_int32_ = b.row_factor() == 0;
  int32_offset_.resize(padded);
  for (size_t c = 0; c < padded; ++c) {
    if (!bias.empty() && c < columns) offset_[c] += static_cast<double>(bias[bias.size() == 1 ? 0 : c]);
    if (std::abs(offset_[c]) + b.sum_bound()[c] >= 2147483648.0) {
      fits_int32_ = false;
    } else {
      int32_offset_[c] = static_cast<int32_t>(offset_[c]);
    }
  }
  for (const OutputForm& form : outputs) {
    TWOFOLD_CHECK(form.multiplier.size() == 1 || form.multiplier.size() == columns);
    Output output = {};
    output.kind = kind_of(form.dtype);
    output.bytes = static_cast<std::ptrdiff_t>(byte_size(form.dtype));
    output.multiplier.assign(padded, 0.0);
    for (size_t c = 0; c < columns; ++c) output.multiplier[c] = form.multiplier[form.multiplier.size() == 1 ? 0 : c];
    output.low = form.low - form.zero_point;
    output.high = form.high - form.zero_point;
    output.zero_point = form.zero_point;
    output.bounded = b.row_factor() == 0;
    for (size_t c = 0; c < padded && output.bounded; ++c) {
      output.bounded = (b.sum_bound()[c] + std::abs(offset_[c])) * std::abs(output.multiplier[c]) < 1 << 30;
    }
    if (output.bounded) output.float_multiplier.assign(output.multiplier.begin(), output.multiplier.end());
    outputs_.push_back(std::move(output));
  }
}

TileOutput Epilogue::tile(size_t i, std::byte* first, int64_t row_stride, int64_t column) const {
  const Output& form = outputs_[i];
  return {.data = first,
          .row_stride = row_stride * form.bytes,
          .multiplier = form.multiplier.data() + column,
          .bounded = form.bounded,
          .float_multiplier = form.float_multiplier.empty() ? nullptr : form.float_multiplier.data() + column,
          .low = form.low,
          .high = form.high,
          .zero_point = form.zero_point};
}

TileOutput Epilogue::at(size_t i, void* data, int64_t row_stride, int64_t row, int64_t column) const {
  auto* const first = static_cast<std::byte*>(data) + (row * row_stride + column) * outputs_[i].bytes;
  return tile(i, first, row_stride, column);
}

TileOutput Epilogue::in_block(float* block, int64_t row_stride, int64_t column) const {
  return tile(outputs_.size() - 1, reinterpret_cast<std::byte*>(block), row_stride, column);
}

}  // namespace twofold::kernels
