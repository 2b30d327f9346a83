#include "kernels/requantizer.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace twofold::kernels {

namespace {

OutputKind kind_of(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kUInt8: return OutputKind::kInt8;
    case DType::kInt16:
    case DType::kUInt16: return OutputKind::kInt16;
    case DType::kFloat64: return OutputKind::kFloat64;
    default: TWOFOLD_CHECK(dtype == DType::kFloat32); return OutputKind::kFloat32;
  }
}

// The output with a multiplier for each of `columns` columns, and zeros up to `padded`.
Requantizer::Output output_of(const OutputForm& form, size_t columns, size_t padded, Allocator* allocator) {
  const size_t period = form.multiplier.size();
  TWOFOLD_CHECK(period > 0 || columns == 0);
  Requantizer::Output output = {};
  output.kind = kind_of(form.dtype);
  output.bytes = static_cast<std::ptrdiff_t>(byte_size(form.dtype));
  output.multiplier = AlignedVector<double>(padded, 0.0, allocator);
  for (size_t c = 0; c < columns; ++c)
    output.multiplier[c] = c < period ? form.multiplier[c] : output.multiplier[c - period];
  output.low = form.low - form.zero_point;
  output.high = form.high - form.zero_point;
  output.zero_point = form.zero_point;
  return output;
}

// How often the product in float32 of an accumulator, below `limit`, and a multiplier is rounded, by 2^-24 of itself
// each time. The conversion rounds numbers of more than 24 bits; of two parts, if the first one has more bits, it
// rounds twice. The product is rounded on some CPUs.
size_t roundings(const PackedB& b, double limit) {
  constexpr double k24Bits = 1 << 24;
  const double unit =
      b.product() == Product::kPairsAndHighBytes ? 65536 : 256;  // of the first part, where there are two
  const size_t of_sum = limit <= k24Bits ? 0 : limit < unit * k24Bits ? 1 : 2;
  return of_sum + (b.kernels().rounds_products ? 1 : 0);
}

// Numbers below and above `multiplier`: products with them, rounded so many times, are not above and not below that
// with it.
std::pair<float, float> neighbours(double multiplier, size_t times) {
  // The second-order terms of (1 + 2^-24)^n are less than 2^-44.
  const double margin = times == 0 ? 0 : static_cast<double>(times) * 0x1p-24 + 0x1p-44;
  const double most = multiplier * (1 + margin), least = multiplier * (1 - margin);
  auto above = static_cast<float>(most), below = static_cast<float>(least);
  if (std::abs(above) < std::abs(most)) above = std::nextafter(above, std::copysign(INFINITY, above));
  if (std::abs(below) > std::abs(least)) below = std::nextafter(below, 0.0F);
  return {below, above};
}

}  // namespace

Requantizer::Requantizer(const PackedB& b, std::span<const int64_t> bias, std::span<const OutputForm> outputs,
                         Allocator* allocator)
    : offset_(b.offset().begin(), b.offset().end(), allocator),
      int32_offset_(allocator),
      wrap_start_(allocator),
      high_start_(allocator) {
  const auto columns = static_cast<size_t>(b.columns()), padded = static_cast<size_t>(b.padded_columns());
  add_bias(bias, columns);
  fits_int32_ = b.row_factor() == 0;
  int32_offset_.resize(padded);
  for (size_t c = 0; c < padded; ++c) {
    if (std::abs(offset_[c]) + b.sum_bound()[c] >= 2147483648.0) {
      fits_int32_ = false;
    } else {
      int32_offset_[c] = static_cast<int32_t>(offset_[c]);
    }
  }
  if (b.product() == Product::kPairsAndHighBytes) split_offset(b);
  for (const OutputForm& form : outputs) {
    Output output = output_of(form, columns, padded, allocator);
    output.bounded = b.row_factor() == 0;
    for (size_t c = 0; c < padded && output.bounded; ++c) {
      const double multiplier = std::abs(output.multiplier[c]);
      output.bounded = multiplier < 1 << 30 && sum_limit(b, c) * multiplier < 1 << 30;
    }
    if (output.bounded) add_float_multipliers(b, output, allocator);
    outputs_.push_back(std::move(output));
  }
}

Requantizer::Requantizer(int64_t columns, std::span<const int64_t> bias, std::span<const OutputForm> outputs,
                         Allocator* allocator)
    : offset_(static_cast<size_t>((columns + kMaxLanes - 1) / kMaxLanes * kMaxLanes), 0.0, allocator),
      fits_int32_(false) {
  add_bias(bias, static_cast<size_t>(columns));
  for (const OutputForm& form : outputs)
    outputs_.push_back(output_of(form, static_cast<size_t>(columns), offset_.size(), allocator));
}

double Requantizer::sum_limit(const PackedB& b, size_t column) const {
  return b.sum_bound()[column] + std::abs(offset_[column]);
}

void Requantizer::add_float_multipliers(const PackedB& b, Output& output, Allocator* allocator) const {
  const AlignedVector<double>& exact = output.multiplier;
  if (output.kind == OutputKind::kInt8) {
    output.float_multiplier = AlignedVector<float>(exact.begin(), exact.end(), allocator);
  } else if (output.kind == OutputKind::kInt16) {
    output.multiplier_below = AlignedVector<float>(exact.size(), 0.0F, allocator);
    output.multiplier_above = AlignedVector<float>(exact.size(), 0.0F, allocator);
    std::pair<float, float> of_last;
    for (size_t c = 0, last_roundings = 0; c < exact.size(); ++c) {
      const size_t rounded = roundings(b, sum_limit(b, c));
      if (c == 0 || exact[c] != exact[c - 1] || rounded != last_roundings) of_last = neighbours(exact[c], rounded);
      last_roundings = rounded;
      std::tie(output.multiplier_below[c], output.multiplier_above[c]) = of_last;
    }
  }
}

void Requantizer::add_bias(std::span<const int64_t> bias, size_t columns) {
  TWOFOLD_CHECK(bias.size() <= 1 || bias.size() == columns);
  if (bias.empty()) return;
  for (size_t c = 0; c < columns; ++c) offset_[c] += static_cast<double>(bias[bias.size() == 1 ? 0 : c]);
}

// offset = 2^16 (its high part) + 16 bits, which r has room for: see Product::kPairsAndHighBytes.
void Requantizer::split_offset(const PackedB& b) {
  // |E| < 2^24, so that its start may have 30 bits.
  constexpr double kLimit = static_cast<double>(int64_t{1} << 46);
  fits_high_bytes_ =
      b.row_factor() == 0 && std::ranges::all_of(offset_, [](double offset) { return std::abs(offset) < kLimit; });
  if (!fits_high_bytes_) return;
  wrap_start_.resize(offset_.size());
  high_start_.resize(offset_.size());
  for (const PackedB::Panel& panel : b.panels()) {
    const int width = panel.vectors * b.kernels().lanes;
    for (int i = 0; i < width; ++i) {
      const auto c = static_cast<size_t>(panel.first_column + i);
      const auto offset = static_cast<int64_t>(offset_[c]);
      const int32_t init = b.wrap_init()[b.chunks(panel)[0].init + i];
      wrap_start_[c] = static_cast<int32_t>(static_cast<uint32_t>(init) + static_cast<uint32_t>(offset));
      high_start_[c] = static_cast<int32_t>(offset >> 16);
    }
  }
}

const Requantizer::Output* Requantizer::fusible_output() const {
  if (outputs_.size() != 1) return nullptr;
  const Output& output = outputs_[0];
  return output.bounded || output.kind == OutputKind::kFloat32 ? &output : nullptr;
}

TileOutput Requantizer::tile(size_t i, std::byte* first, int64_t row_stride, int64_t column) const {
  const Output& form = outputs_[i];
  const auto from = [column](const AlignedVector<float>& of) { return of.empty() ? nullptr : of.data() + column; };
  return {.data = first,
          .row_stride = row_stride * form.bytes,
          .multiplier = form.multiplier.data() + column,
          .bounded = form.bounded,
          .float_multiplier = from(form.float_multiplier),
          .multiplier_below = from(form.multiplier_below),
          .multiplier_above = from(form.multiplier_above),
          .low = form.low,
          .high = form.high,
          .zero_point = form.zero_point};
}

TileOutput Requantizer::at(size_t i, void* data, int64_t row_stride, int64_t row, int64_t column) const {
  auto* const first = static_cast<std::byte*>(data) + (row * row_stride + column) * outputs_[i].bytes;
  return tile(i, first, row_stride, column);
}

TileOutput Requantizer::in_block(std::byte* block, int64_t row_stride, int64_t column) const {
  return tile(outputs_.size() - 1, block, row_stride, column);
}

}  // namespace twofold::kernels
