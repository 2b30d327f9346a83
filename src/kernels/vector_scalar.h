// The vector of a machine without one: eight lanes, as loops that compilers may vectorize.
#ifndef TWOFOLD_SRC_KERNELS_VECTOR_SCALAR_H_
#define TWOFOLD_SRC_KERNELS_VECTOR_SCALAR_H_

#include <cstddef>
#include <cstdint>

namespace twofold::kernels {
namespace {

struct ScalarVectors {
  static constexpr int kLanes = 8, kRegisters = 16;
  static constexpr int kFusedSums = 0, kMaxFusedCells = 0;  // none (fused_skeleton.h)
  static constexpr bool kRoundsProducts = false;            // it computes none in float32
  struct I32 {
    int32_t lane[kLanes];
  };
  struct F64 {
    double lane[kLanes / 2];
  };

  static I32 load(const int32_t* from) {
    I32 v;
    for (int i = 0; i < kLanes; ++i) v.lane[i] = from[i];
    return v;
  }
  static I32 load_cells(const std::byte* from) {
    I32 v;
    __builtin_memcpy(v.lane, from, sizeof(v.lane));
    return v;
  }
  static void store_bytes(std::byte* to, const I32& v) { __builtin_memcpy(to, v.lane, sizeof(v.lane)); }
  static void store_cells(std::byte* to, const I32& v) { __builtin_memcpy(to, v.lane, sizeof(v.lane)); }
  static void store(int32_t* to, const I32& v) {
    for (int i = 0; i < kLanes; ++i) to[i] = v.lane[i];
  }
  static I32 broadcast(int32_t value) {
    I32 v;
    for (int i = 0; i < kLanes; ++i) v.lane[i] = value;
    return v;
  }
  static I32 broadcast_cell(const std::byte* from) {
    int32_t cell;
    __builtin_memcpy(&cell, from, sizeof(cell));
    return broadcast(cell);
  }
  // Unsigned, because these wrap.
  static I32 add(I32 a, const I32& b) {
    for (int i = 0; i < kLanes; ++i)
      a.lane[i] = static_cast<int32_t>(static_cast<uint32_t>(a.lane[i]) + static_cast<uint32_t>(b.lane[i]));
    return a;
  }
  static I32 sub(I32 a, const I32& b) {
    for (int i = 0; i < kLanes; ++i)
      a.lane[i] = static_cast<int32_t>(static_cast<uint32_t>(a.lane[i]) - static_cast<uint32_t>(b.lane[i]));
    return a;
  }

  static I32 shift_left_8(I32 a) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] = static_cast<int32_t>(static_cast<uint32_t>(a.lane[i]) << 8);
    return a;
  }
  static I32 shift_right_8(I32 a) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] >>= 8;
    return a;
  }

  // Depthwise convolution: a vector of 8- or 16-bit channels, of which `bytes` bytes may be read.
  static I32 load_bytes(const std::byte* from) { return load_cells(from); }
  static constexpr bool kMasksLoads = false;
  static I32 load_partial(const std::byte* from, int bytes) {
    I32 v = broadcast(0);
    __builtin_memcpy(v.lane, from, static_cast<size_t>(bytes));
    return v;
  }
  static void store_partial(std::byte* to, const I32& v, int bytes) {
    __builtin_memcpy(to, v.lane, static_cast<size_t>(bytes));
  }
  // 2 * kLanes bytes, of which `bytes` may be read, as words.
  template <bool kSigned>
  static I32 widen(const std::byte* from, int bytes) {
    uint16_t words[2 * kLanes] = {};
    for (int i = 0; i < bytes; ++i) {
      const auto byte = static_cast<uint8_t>(from[i]);
      words[i] = kSigned ? static_cast<uint16_t>(static_cast<int8_t>(byte)) : byte;
    }
    I32 v;
    __builtin_memcpy(v.lane, words, sizeof(words));
    return v;
  }
  static I32 bit_xor(I32 a, const I32& b) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] ^= b.lane[i];
    return a;
  }
  static I32 sub_words(I32 a, const I32& b) {
    for (int i = 0; i < kLanes; ++i) {
      const auto x = static_cast<uint32_t>(a.lane[i]), y = static_cast<uint32_t>(b.lane[i]);
      a.lane[i] = static_cast<int32_t>(((x - y) & 0xFFFFU) | ((x & 0xFFFF0000U) - (y & 0xFFFF0000U)));
    }
    return a;
  }
  static I32 spread_2(const I32& v) { return v; }
  static void interleave_2(const I32& a, const I32& b, I32* cells) {
    // On numbers: of a version that copied words in and out of arrays, GCC 12 for AArch64 makes wrong code at -O3.
    for (int i = 0; i < 2 * kLanes; ++i) {
      const uint32_t first = static_cast<uint32_t>(a.lane[i / 2]) >> (i % 2 * 16) & 0xFFFFU;
      const uint32_t second = static_cast<uint32_t>(b.lane[i / 2]) >> (i % 2 * 16) & 0xFFFFU;
      cells[i / kLanes].lane[i % kLanes] = static_cast<int32_t>(first | second << 16);
    }
  }

  static F64 load(const double* from) {
    F64 v;
    for (int i = 0; i < kLanes / 2; ++i) v.lane[i] = from[i];
    return v;
  }
  static void store(double* to, const F64& v) {
    for (int i = 0; i < kLanes / 2; ++i) to[i] = v.lane[i];
  }
  static F64 broadcast(double value) {
    F64 v;
    for (int i = 0; i < kLanes / 2; ++i) v.lane[i] = value;
    return v;
  }
  static F64 add(F64 a, const F64& b) {
    for (int i = 0; i < kLanes / 2; ++i) a.lane[i] += b.lane[i];
    return a;
  }
  static F64 mul(F64 a, const F64& b) {
    for (int i = 0; i < kLanes / 2; ++i) a.lane[i] *= b.lane[i];
    return a;
  }
  static F64 clamp(F64 a, const F64& low, const F64& high) {
    for (int i = 0; i < kLanes / 2; ++i) {
      const double v = a.lane[i] < low.lane[i] ? low.lane[i] : a.lane[i];
      a.lane[i] = v > high.lane[i] ? high.lane[i] : v;
    }
    return a;
  }
  static F64 low_half(const I32& a) {
    F64 v;
    for (int i = 0; i < kLanes / 2; ++i) v.lane[i] = a.lane[i];
    return v;
  }
  static F64 high_half(const I32& a) {
    F64 v;
    for (int i = 0; i < kLanes / 2; ++i) v.lane[i] = a.lane[kLanes / 2 + i];
    return v;
  }
  static void load_halves(const int32_t* from, F64* halves) {
    const I32 v = load(from);
    halves[0] = low_half(v);
    halves[1] = high_half(v);
  }
  // high 2^16 + int32(wrapped - high 2^16). Both terms and their sum are exact in double.
  static void load_halves(const int32_t* wrapped, const int32_t* high, F64* halves) {
    I32 top = load(high), shifted = top;
    for (int i = 0; i < kLanes; ++i) shifted.lane[i] = static_cast<int32_t>(static_cast<uint32_t>(top.lane[i]) << 16);
    const I32 rest = sub(load(wrapped), shifted);
    const F64 unit = broadcast(65536.0);
    halves[0] = add(mul(low_half(top), unit), low_half(rest));
    halves[1] = add(mul(high_half(top), unit), high_half(rest));
  }
  // To the nearest integer, ties to even: adding 1.5 * 2^52 pushes the fraction out of the mantissa. REQUIRES: values
  // within int32.
  static I32 round(const F64& low, const F64& high) {
    constexpr double kMagic = 6755399441055744.0;
    I32 v;
    for (int i = 0; i < kLanes / 2; ++i) {
      v.lane[i] = static_cast<int32_t>((low.lane[i] + kMagic) - kMagic);
      v.lane[kLanes / 2 + i] = static_cast<int32_t>((high.lane[i] + kMagic) - kMagic);
    }
    return v;
  }

  static constexpr int kGroup = 0;  // nothing but the definition (requantize_skeleton.h)

  static void store_8(std::byte* to, const I32& v) {
    for (int i = 0; i < kLanes; ++i) to[i] = static_cast<std::byte>(v.lane[i] & 0xFF);
  }
  static void store_16(std::byte* to, const I32& v) {
    uint16_t narrow[kLanes];
    for (int i = 0; i < kLanes; ++i) narrow[i] = static_cast<uint16_t>(v.lane[i]);
    __builtin_memcpy(to, narrow, sizeof(narrow));
  }
  static void store_f32(std::byte* to, const F64& low, const F64& high) {
    float narrow[kLanes];
    for (int i = 0; i < kLanes / 2; ++i) {
      narrow[i] = static_cast<float>(low.lane[i]);
      narrow[kLanes / 2 + i] = static_cast<float>(high.lane[i]);
    }
    __builtin_memcpy(to, narrow, sizeof(narrow));
  }
};

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_VECTOR_SCALAR_H_
