// Bytes choose shapes, types, zero points and integers; every instruction set of this machine gives the sums that loops
// give.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "../kernels/reference.h"
#include "kernels/conv.h"
#include "kernels/gemm.h"

namespace twofold::kernels {
namespace {

constexpr DType kTypes[] = {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16};

// Takes the input apart; zeros behind its end.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  int64_t below(int64_t n) { return (byte() + 256 * int64_t{byte()}) % n; }
  DType type() { return kTypes[byte() % 4]; }
  int32_t value(DType dtype) {
    const int64_t range = int64_t{highest(dtype)} - lowest(dtype) + 1;
    return static_cast<int32_t>(lowest(dtype) + below(range));
  }
  // Up to 2^50 in magnitude.
  int64_t bias() { return (below(65536) - 32768) * (int64_t{1} << (byte() % 36)); }
  // The first integers are the input's, with a preference for the ends of the range; they repeat, shifted, after that.
  Integers integers(DType dtype, int64_t n) {
    Integers result(dtype, n);
    const uint8_t style = byte();
    const int64_t own = std::min<int64_t>(n, 1 + byte());
    for (int64_t i = 0; i < n; ++i) {
      const int32_t any = i < own ? value(dtype) : result.get((i * 7 + style) % own);
      const bool extreme = style % 4 == 1 || (style % 4 == 2 && i % 3 == 0);
      result.set(i, extreme ? (any & 1) != 0 ? highest(dtype) : lowest(dtype) : any);
    }
    return result;
  }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

std::vector<OutputForm> forms(Bytes& bytes, const std::vector<int64_t>& acc, int64_t columns) {
  std::vector<OutputForm> result;
  std::mt19937 random(bytes.byte());
  for (int i = 1 + bytes.byte() % 3; i > 0; --i) {
    OutputForm form{.dtype = bytes.byte() % 4 == 0 ? DType::kFloat32 : bytes.type(), .multiplier = {}};
    const int exponent = -static_cast<int>(bytes.byte() % 40);
    const double base = std::ldexp(1.0 + bytes.byte() % 8 / 8.0, exponent);  // ties, where it is a power of two
    form.multiplier.assign(static_cast<size_t>(bytes.byte() % 2 == 0 ? 1 : columns), base);
    if (form.multiplier.size() > 1) form.multiplier.back() = base / 3;
    if (form.dtype != DType::kFloat32) {
      if (bytes.byte() % 2 == 0) form = near_ties(acc, columns, form.dtype, 0, random);
      form.zero_point = bytes.value(form.dtype);
      form.low = bytes.byte() % 2 == 0 ? lowest(form.dtype) : form.zero_point;
      form.high = highest(form.dtype);
    }
    result.push_back(form);
  }
  return result;
}

void require(bool condition, const char* what, Isa isa) {
  if (condition) return;
  std::fprintf(stderr, "%s: not what loops give on %s\n", what, std::string(to_string(isa)).c_str());
  std::abort();
}

// Runs `body(places)` and compares what it writes.
template <typename Body>
void compare(const char* what, Isa isa, const std::vector<int64_t>& acc, int64_t columns,
             const std::vector<OutputForm>& outputs, const Body& body) {
  const int64_t rows = static_cast<int64_t>(acc.size()) / columns, stride = columns + 3;
  std::vector<std::vector<unsigned char>> got;
  std::vector<OutputRows> places;
  for (const OutputForm& form : outputs) {
    got.emplace_back(static_cast<size_t>(rows * stride) * byte_size(form.dtype), 0x5A);
    places.push_back({got.back().data(), stride});
  }
  body(places);
  for (size_t i = 0; i < outputs.size(); ++i)
    require(got[i] == reference_output(acc, columns, stride, outputs[i]), what, isa);
}

void fuzz_gemm(Bytes& bytes) {
  const DType a_type = bytes.type(), b_type = bytes.type();
  const int64_t m = 1 + bytes.below(14), n = 1 + bytes.below(70),
                k = 1 + bytes.below(bytes.byte() % 8 == 0 ? 1500 : 40);
  const bool a_transposed = bytes.byte() % 2 != 0, b_transposed = bytes.byte() % 2 != 0;
  const int32_t a_zero = bytes.byte() % 2 == 0 ? 0 : bytes.value(a_type);
  const int32_t b_zero = bytes.byte() % 2 == 0 ? 0 : bytes.value(b_type);
  const bool compact = bytes.byte() % 2 != 0;
  const std::vector<int64_t> bias = {bytes.bias()};
  const Integers a = bytes.integers(a_type, m * k), b = bytes.integers(b_type, k * n);
  const MatrixView left = {a_type, a.data(), m, k, a_transposed ? 1 : k, a_transposed ? m : 1, a_zero};
  const MatrixView right = {b_type, b.data(), k, n, b_transposed ? 1 : n, b_transposed ? k : 1, b_zero};
  const std::vector<int64_t> acc = reference_product(
      m, n, k, [&](int64_t i, int64_t p) { return a.get(i * left.row_stride + p * left.column_stride) - a_zero; },
      [&](int64_t p, int64_t j) { return b.get(p * right.row_stride + j * right.column_stride) - b_zero; }, bias);
  const std::vector<OutputForm> outputs = forms(bytes, acc, n);
  for (const Isa isa : available_isas()) {
    const IsaScope scope(isa);
    const PackedB packed(right, a_type, a_zero, {.compact = compact});
    const Requantizer requantizer(packed, bias, outputs);
    compare("gemm", isa, acc, n, outputs,
            [&](const auto& places) { gemm(MatrixRows(left), packed, requantizer, places); });
  }
}

void fuzz_conv(Bytes& bytes) {
  ConvProblem c;
  c.a_type = bytes.type();
  c.b_type = bytes.type();
  c.batch = 1 + bytes.byte() % 2;
  c.group = 1 + bytes.below(40);
  const bool depthwise = bytes.byte() % 2 == 0;
  c.channels = c.group * (depthwise ? 1 : 1 + bytes.byte() % 3);
  c.out_channels = c.group * (depthwise ? 1 : 1 + bytes.byte() % 3);
  const size_t rank = 1 + bytes.byte() % 3;
  c.spatial.clear();
  c.window = {};
  std::vector<int64_t> ends;
  for (size_t i = 0; i < rank; ++i) {
    c.window.kernel.push_back(1 + bytes.byte() % 4);
    c.window.strides.push_back(1 + bytes.byte() % 3);
    c.window.dilations.push_back(1 + bytes.byte() % 2);
    c.window.pads.push_back(bytes.byte() % 4);
    ends.push_back(bytes.byte() % 4);
    c.spatial.push_back((c.window.kernel[i] - 1) * c.window.dilations[i] + 1 + bytes.byte() % 6);
  }
  c.window.pads.insert(c.window.pads.end(), ends.begin(), ends.end());
  c.a_zero = bytes.byte() % 2 == 0 ? 0 : bytes.value(c.a_type);
  c.b_zero = bytes.byte() % 2 == 0 ? 0 : bytes.value(c.b_type);
  const std::vector<int64_t> bias(static_cast<size_t>(c.out_channels), bytes.bias());
  int64_t pixels = c.batch, taps = 1;
  for (size_t i = 0; i < rank; ++i) {
    pixels *= c.spatial[i];
    taps *= c.window.kernel[i];
  }
  const Integers a = bytes.integers(c.a_type, pixels * c.channels);
  const Integers b = bytes.integers(c.b_type, c.out_channels * (c.channels / c.group) * taps);
  const std::vector<int64_t> acc = reference_conv(c, a, b, bias);
  const std::vector<OutputForm> outputs = forms(bytes, acc, c.out_channels);
  for (const Isa isa : available_isas()) {
    const IsaScope scope(isa);
    const std::array<ConvAxis, 3> axes = conv_axes(c.window, c.spatial);
    const Conv conv = make_conv(c, b, bias, outputs);
    compare("conv", isa, acc, c.out_channels, outputs, [&](const auto& places) {
      conv.run({c.a_type, a.data(), c.batch, c.spatial, c.channels, c.a_zero}, axes, places);
    });
  }
}

}  // namespace
}  // namespace twofold::kernels

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  twofold::kernels::Bytes bytes(data, size);
  if (bytes.byte() % 2 == 0) {
    twofold::kernels::fuzz_gemm(bytes);
  } else {
    twofold::kernels::fuzz_conv(bytes);
  }
  return 0;
}
