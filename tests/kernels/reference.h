// What the kernels are compared with: loops that read like docs/numerics.md, and integers to feed them.
#ifndef TWOFOLD_TESTS_KERNELS_REFERENCE_H_
#define TWOFOLD_TESTS_KERNELS_REFERENCE_H_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "kernels/conv.h"
#include "kernels/conv_geometry.h"
#include "kernels/matrix_view.h"
#include "kernels/requantizer.h"

namespace twofold::kernels {

inline bool is_8bit(DType dtype) { return byte_size(dtype) == 1; }
inline int32_t lowest(DType dtype) { return dtype == DType::kInt8 ? -128 : dtype == DType::kInt16 ? -32768 : 0; }
inline int32_t highest(DType dtype) {
  return dtype == DType::kInt8 ? 127 : dtype == DType::kUInt8 ? 255 : dtype == DType::kInt16 ? 32767 : 65535;
}

// Integers of a type in a heap block of exactly their size, so that a sanitizer sees every read beyond.
class Integers {
 public:
  Integers(DType dtype, int64_t n) : dtype_(dtype), bytes_(static_cast<size_t>(n) * byte_size(dtype)) {}
  DType dtype() const { return dtype_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size() / byte_size(dtype_)); }
  void* data() { return bytes_.data(); }
  const void* data() const { return bytes_.data(); }
  void set(int64_t i, int32_t value) {
    const size_t n = byte_size(dtype_);
    std::memcpy(bytes_.data() + static_cast<size_t>(i) * n, &value, n);  // little-endian
  }
  int32_t get(int64_t i) const {
    const unsigned char* at = bytes_.data() + static_cast<size_t>(i) * byte_size(dtype_);
    switch (dtype_) {
      case DType::kInt8: return static_cast<int8_t>(*at);
      case DType::kUInt8: return *at;
      default: break;
    }
    uint16_t value;
    std::memcpy(&value, at, 2);
    return dtype_ == DType::kInt16 ? static_cast<int16_t>(value) : value;
  }
  bool operator==(const Integers&) const = default;

 private:
  DType dtype_;
  std::vector<unsigned char> bytes_;
};

enum class Fill { kRandom, kLowest, kHighest, kAlternating, kSmall };
inline constexpr Fill kFills[] = {Fill::kRandom, Fill::kLowest, Fill::kHighest, Fill::kAlternating, Fill::kSmall};

inline Integers integers(DType dtype, int64_t n, Fill fill, std::mt19937& random) {
  Integers result(dtype, n);
  std::uniform_int_distribution<int32_t> any(lowest(dtype), highest(dtype)), few(-3, 3);
  for (int64_t i = 0; i < n; ++i) {
    switch (fill) {
      case Fill::kRandom: result.set(i, any(random)); break;
      case Fill::kLowest: result.set(i, lowest(dtype)); break;
      case Fill::kHighest: result.set(i, highest(dtype)); break;
      case Fill::kAlternating: result.set(i, i % 2 == 0 ? lowest(dtype) : highest(dtype)); break;
      case Fill::kSmall: result.set(i, std::max(lowest(dtype), few(random))); break;
    }
  }
  return result;
}

// Rule 5. Adding and subtracting 1.5 * 2^52 would do too; nearbyint is another way.
inline double requantized(int64_t acc, double multiplier, int32_t zero_point, int32_t low, int32_t high) {
  const double v = std::nearbyint(static_cast<double>(acc) * multiplier) + zero_point;
  return std::min<double>(std::max<double>(v, low), high);
}

// An output form's bytes for accumulators [rows, columns], rows `row_stride` elements apart; bytes between are 0x5A.
inline std::vector<unsigned char> reference_output(const std::vector<int64_t>& acc, int64_t columns, int64_t row_stride,
                                                   const OutputForm& form) {
  const int64_t rows = columns == 0 ? 0 : static_cast<int64_t>(acc.size()) / columns;
  const size_t bytes = byte_size(form.dtype);
  std::vector<unsigned char> out(static_cast<size_t>(rows * row_stride) * bytes, 0x5A);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t sum = acc[static_cast<size_t>(r * columns + c)];
      const double m = form.multiplier[static_cast<size_t>(c) % form.multiplier.size()];
      unsigned char* to = out.data() + static_cast<size_t>(r * row_stride + c) * bytes;
      if (form.dtype == DType::kFloat32) {
        const auto value = static_cast<float>(static_cast<double>(sum) * m);
        std::memcpy(to, &value, bytes);
      } else if (form.dtype == DType::kFloat64) {
        const auto value = static_cast<double>(sum) * m;
        std::memcpy(to, &value, bytes);
      } else {
        const auto value = static_cast<int32_t>(requantized(sum, m, form.zero_point, form.low, form.high));
        std::memcpy(to, &value, bytes);
      }
    }
  }
  return out;
}

// An output whose multipliers bring one accumulator of each column of `acc` to a tie between two integers, or by little
// more or less than float32 or double can tell above or below it.
inline OutputForm near_ties(const std::vector<int64_t>& acc, int64_t columns, DType dtype, int32_t zero_point,
                            std::mt19937& random) {
  OutputForm form{
      .dtype = dtype, .multiplier = {}, .zero_point = zero_point, .low = lowest(dtype), .high = highest(dtype)};
  const auto rows = static_cast<int64_t>(acc.size()) / columns;
  for (int64_t c = 0; c < columns; ++c) {
    const int64_t row = rows == 0 ? 0 : static_cast<int64_t>(random() % static_cast<uint64_t>(rows));
    const double sum = rows == 0 ? 1 : static_cast<double>(acc[static_cast<size_t>(row * columns + c)]);
    const double tie = static_cast<double>(random() % static_cast<uint32_t>(highest(dtype))) + 0.5;
    const double off = std::ldexp(static_cast<double>(random() % 3) - 1, -static_cast<int>(20 + random() % 34));
    form.multiplier.push_back(tie / std::max(1.0, std::abs(sum)) * (1 + off));
  }
  return form;
}

// Accumulators [M,N] of two matrices, element (i, k) and (k, j) given by functions that have subtracted zero points.
inline std::vector<int64_t> reference_product(int64_t m, int64_t n, int64_t k,
                                              const std::function<int64_t(int64_t, int64_t)>& a,
                                              const std::function<int64_t(int64_t, int64_t)>& b,
                                              const std::vector<int64_t>& bias) {
  std::vector<int64_t> left(static_cast<size_t>(m * k)), right(static_cast<size_t>(k * n));
  for (int64_t i = 0; i < m * k; ++i) left[static_cast<size_t>(i)] = a(i / k, i % k);
  for (int64_t i = 0; i < k * n; ++i) right[static_cast<size_t>(i)] = b(i / n, i % n);
  std::vector<int64_t> acc(static_cast<size_t>(m * n), 0);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = bias.empty() ? 0 : bias[bias.size() == 1 ? 0 : static_cast<size_t>(j)];
      for (int64_t p = 0; p < k; ++p)
        sum += left[static_cast<size_t>(i * k + p)] * right[static_cast<size_t>(p * n + j)];
      acc[static_cast<size_t>(i * n + j)] = sum;
    }
  }
  return acc;
}

// A convolution: input [batch, spatial..., channels], weights [out_channels, channels / group, kernel...].
struct ConvProblem {
  DType a_type = DType::kInt8, b_type = DType::kInt8;
  int64_t batch = 1;
  std::vector<int64_t> spatial = {7, 9};
  int64_t channels = 4, out_channels = 5, group = 1;
  ConvWindow window = {{3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}};
  int32_t a_zero = 0, b_zero = 0;
  Fill a_fill = Fill::kRandom, b_fill = Fill::kRandom;
  int64_t largest_bias = 1000;
};

// From within 16 bits to the largest that a Requantizer takes; beyond 2^31, 2^38 and 2^46 kernels take other ways.
inline constexpr int64_t kLargestBiases[] = {0,
                                             (int64_t{1} << 31) - 1,
                                             (int64_t{1} << 38) - 1,
                                             int64_t{1} << 38,
                                             (int64_t{1} << 46) - 1,
                                             int64_t{1} << 46,
                                             int64_t{1} << 51};

// A bias per column, among them both bounds.
inline std::vector<int64_t> biases(int64_t columns, int64_t largest, std::mt19937& random) {
  std::uniform_int_distribution<int64_t> any(-largest, largest);
  std::vector<int64_t> result;
  for (int64_t c = 0; c < columns; ++c) result.push_back(c == 0 ? largest : c == 1 ? -largest : any(random));
  return result;
}

// The convolution with weights b, packed for current_isa().
inline Conv make_conv(const ConvProblem& c, const Integers& b, std::span<const int64_t> bias,
                      std::span<const OutputForm> outputs) {
  const std::array<ConvAxis, 3> axes = conv_axes(c.window, c.spatial);
  return {{c.b_type,
           b.data(),
           c.out_channels,
           c.channels / c.group,
           {axes[0].kernel, axes[1].kernel, axes[2].kernel},
           c.group,
           c.b_zero},
          c.a_type,
          c.a_zero,
          bias,
          outputs};
}

// Accumulators [batch * positions, M], by the sum over the taps that lie inside.
inline std::vector<int64_t> reference_conv(const ConvProblem& c, const Integers& a, const Integers& b,
                                           const std::vector<int64_t>& bias) {
  const std::array<ConvAxis, 3> axes = conv_axes(c.window, c.spatial);
  const int64_t group_channels = c.channels / c.group, group_outputs = c.out_channels / c.group;
  const int64_t kernel = axes[0].kernel * axes[1].kernel * axes[2].kernel;
  std::vector<int64_t> acc;
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t at = 0; at < axes[0].outputs * axes[1].outputs * axes[2].outputs; ++at) {
      const int64_t x = at % axes[2].outputs, y = at / axes[2].outputs % axes[1].outputs;
      const int64_t z = at / axes[2].outputs / axes[1].outputs;
      for (int64_t m = 0; m < c.out_channels; ++m) {
        int64_t sum = bias[static_cast<size_t>(m)];
        for (int64_t tap = 0; tap < kernel; ++tap) {
          const int64_t kx = tap % axes[2].kernel, ky = tap / axes[2].kernel % axes[1].kernel;
          const int64_t kz = tap / axes[2].kernel / axes[1].kernel;
          const int64_t ix = x * axes[2].stride - axes[2].pad + kx * axes[2].dilation;
          const int64_t iy = y * axes[1].stride - axes[1].pad + ky * axes[1].dilation;
          const int64_t iz = z * axes[0].stride - axes[0].pad + kz * axes[0].dilation;
          if (ix < 0 || iy < 0 || iz < 0 || ix >= axes[2].size || iy >= axes[1].size || iz >= axes[0].size) continue;
          for (int64_t i = 0; i < group_channels; ++i) {
            const int64_t pixel = ((n * axes[0].size + iz) * axes[1].size + iy) * axes[2].size + ix;
            const int64_t value = a.get(pixel * c.channels + m / group_outputs * group_channels + i) - c.a_zero;
            sum += value * (b.get((m * group_channels + i) * kernel + tap) - c.b_zero);
          }
        }
        acc.push_back(sum);
      }
    }
  }
  return acc;
}

}  // namespace twofold::kernels

#endif  // TWOFOLD_TESTS_KERNELS_REFERENCE_H_
