// 128-bit vectors of 64-bit Arm.
#ifndef TWOFOLD_SRC_KERNELS_VECTOR_NEON_H_
#define TWOFOLD_SRC_KERNELS_VECTOR_NEON_H_

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

struct NeonVectors {
  static constexpr int kLanes = 4, kRegisters = 32;
  static constexpr int kFusedSums = 12, kMaxFusedCells = 64;  // fused_skeleton.h
  static constexpr bool kRoundsProducts = false;              // in mul_add
  using I32 = int32x4_t;
  using F64 = float64x2_t;

  static const uint8_t* bytes(const std::byte* from) { return reinterpret_cast<const uint8_t*>(from); }
  static uint8_t* bytes(std::byte* to) { return reinterpret_cast<uint8_t*>(to); }
  static I32 load(const int32_t* from) { return vld1q_s32(from); }
  static I32 load_cells(const std::byte* from) { return vreinterpretq_s32_u8(vld1q_u8(bytes(from))); }
  static void store_bytes(std::byte* to, I32 v) { vst1q_u8(bytes(to), vreinterpretq_u8_s32(v)); }
  static void store_cells(std::byte* to, I32 v) { store_bytes(to, v); }
  static void store(int32_t* to, I32 v) { vst1q_s32(to, v); }
  static I32 broadcast(int32_t value) { return vdupq_n_s32(value); }
  static I32 broadcast_cell(const std::byte* from) {
    int32_t cell;
    __builtin_memcpy(&cell, from, sizeof(cell));
    return vdupq_n_s32(cell);
  }
  static I32 add(I32 a, I32 b) { return vaddq_s32(a, b); }

  static I32 shift_left_8(I32 a) { return vshlq_n_s32(a, 8); }
  static I32 shift_right_8(I32 a) { return vshrq_n_s32(a, 8); }

  // Depthwise convolution: a vector of 8- or 16-bit channels, of which `bytes` bytes may be read.
  static I32 load_bytes(const std::byte* from) { return load_cells(from); }
  static constexpr bool kMasksLoads = false;
  static I32 load_partial(const std::byte* from, int count) {
    std::byte whole[16] = {};
    __builtin_memcpy(whole, from, static_cast<size_t>(count));
    return load_cells(whole);
  }
  static void store_partial(std::byte* to, I32 v, int count) {
    std::byte whole[16];
    store_bytes(whole, v);
    __builtin_memcpy(to, whole, static_cast<size_t>(count));
  }
  // 8 bytes, of which `count` may be read, as words.
  template <bool kSigned>
  static I32 widen(const std::byte* from, int count) {
    uint64_t word = 0;
    if (count == 8) {
      __builtin_memcpy(&word, from, 8);
    } else {
      __builtin_memcpy(&word, from, static_cast<size_t>(count));
    }
    const uint8x8_t v = vcreate_u8(word);
    return kSigned ? vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u8(v))) : vreinterpretq_s32_u16(vmovl_u8(v));
  }
  static I32 bit_xor(I32 a, I32 b) { return veorq_s32(a, b); }
  static I32 sub_bytes(I32 a, I32 b) {
    return vreinterpretq_s32_s8(vsubq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
  }
  static I32 sub_words(I32 a, I32 b) {
    return vreinterpretq_s32_s16(vsubq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
  }
  // Interleaving leaves vectors of 128 bits in order.
  static I32 spread_2(I32 v) { return v; }
  static I32 spread_4(I32 v) { return v; }
  static void interleave_2(I32 a, I32 b, I32* cells) {
    const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    cells[0] = vreinterpretq_s32_s16(vzip1q_s16(x, y));
    cells[1] = vreinterpretq_s32_s16(vzip2q_s16(x, y));
  }
  static void interleave_4(I32 a, I32 b, I32 c, I32 d, I32* cells) {
    const int8x16_t x = vreinterpretq_s8_s32(a), y = vreinterpretq_s8_s32(b);
    const int8x16_t z = vreinterpretq_s8_s32(c), w = vreinterpretq_s8_s32(d);
    interleave_2(vreinterpretq_s32_s8(vzip1q_s8(x, y)), vreinterpretq_s32_s8(vzip1q_s8(z, w)), cells);
    interleave_2(vreinterpretq_s32_s8(vzip2q_s8(x, y)), vreinterpretq_s32_s8(vzip2q_s8(z, w)), cells + 2);
  }

  static F64 load(const double* from) { return vld1q_f64(from); }
  static void store(double* to, F64 v) { vst1q_f64(to, v); }
  static F64 broadcast(double value) { return vdupq_n_f64(value); }
  static F64 add(F64 a, F64 b) { return vaddq_f64(a, b); }
  static F64 mul(F64 a, F64 b) { return vmulq_f64(a, b); }
  static F64 clamp(F64 a, F64 low, F64 high) { return vminq_f64(vmaxq_f64(a, low), high); }
  static F64 low_half(I32 a) { return vcvtq_f64_s64(vmovl_s32(vget_low_s32(a))); }
  static F64 high_half(I32 a) { return vcvtq_f64_s64(vmovl_high_s32(a)); }
  static void halves(I32 v, F64* halves) {
    halves[0] = low_half(v);
    halves[1] = high_half(v);
  }
  static void load_halves(const int32_t* from, F64* sums) { halves(load(from), sums); }
  // top unit + low, exact in double.
  static void halves_of_parts(I32 top, double unit, I32 low, F64* sums) {
    sums[0] = vfmaq_f64(low_half(low), low_half(top), broadcast(unit));
    sums[1] = vfmaq_f64(high_half(low), high_half(top), broadcast(unit));
  }
  // high 2^16 + int32(wrapped - high 2^16). Both terms and their sum are exact in double.
  static void halves(I32 wrapped, I32 high, F64* sums) {
    halves_of_parts(high, 65536.0, vsubq_s32(wrapped, vshlq_n_s32(high, 16)), sums);
  }
  static void load_halves(const int32_t* wrapped, const int32_t* high, F64* sums) {
    halves(load(wrapped), load(high), sums);
  }
  // The conversion rounds to the nearest integer, ties to even.
  static I32 round(F64 low, F64 high) {
    return vcombine_s32(vmovn_s64(vcvtnq_s64_f64(low)), vmovn_s64(vcvtnq_s64_f64(high)));
  }

  using F32 = float32x4_t;
  static F32 load(const float* from) { return vld1q_f32(from); }
  static F32 to_f32(I32 v) { return vcvtq_f32_s32(v); }
  // a * b + c.
  static F32 mul_add(F32 a, F32 b, float c) { return vfmaq_f32(vdupq_n_f32(c), a, b); }
  static I32 bits(F32 v) { return vreinterpretq_s32_f32(v); }
  static I32 round(F32 v) { return vcvtnq_s32_f32(v); }
  // acc | (a ^ b)
  static I32 or_difference(I32 acc, I32 a, I32 b) { return vorrq_s32(acc, veorq_s32(a, b)); }
  static bool any(I32 v) { return vmaxvq_u32(vreinterpretq_u32_s32(v)) != 0; }
  static I32 clamp(I32 v, I32 low, I32 high) { return vminq_s32(vmaxq_s32(v, low), high); }
  // top 2^kBits + low.
  template <int kBits>
  static F32 to_f32(I32 top, I32 low) {
    const I32 rest = vandq_s32(low, vdupq_n_s32((1 << kBits) - 1));
    return vfmaq_f32(to_f32(rest), to_f32(vsraq_n_s32(top, low, kBits)), vdupq_n_f32(1 << kBits));
  }
  // high 2^16 + int32(wrapped - high 2^16).
  static F32 to_f32(I32 wrapped, I32 high) { return to_f32<16>(high, vsubq_s32(wrapped, vshlq_n_s32(high, 16))); }

  // Vectors that are narrowed together.
  static constexpr int kGroup = 4;
  struct ByteBounds {
    int16x8_t zero_point, low, high;
    explicit ByteBounds(const TileOutput& output)
        : zero_point(vdupq_n_s16(static_cast<int16_t>(output.zero_point))),
          low(vdupq_n_s16(static_cast<int16_t>(static_cast<int32_t>(output.low) + output.zero_point))),
          high(vdupq_n_s16(static_cast<int16_t>(static_cast<int32_t>(output.high) + output.zero_point))) {}
  };
  // The first kCount of four vectors as bytes: saturated to words, plus the zero point, between the bounds.
  template <int kCount>
  static void narrow_to_bytes(std::byte* to, const I32* q, const ByteBounds& bounds) {
    const auto narrow = [&bounds](I32 a, I32 b) {
      const int16x8_t words = vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), bounds.zero_point);
      return vreinterpret_u8_s8(vmovn_s16(vminq_s16(vmaxq_s16(words, bounds.low), bounds.high)));
    };
    const uint8x8_t first = narrow(q[0], q[1]);
    const uint8x16_t all = vcombine_u8(first, kCount > 2 ? narrow(q[2], q[3]) : first);
    if constexpr (kCount == 4) {
      vst1q_u8(bytes(to), all);
    } else {
      uint8_t whole[16];
      vst1q_u8(whole, all);
      __builtin_memcpy(to, whole, kCount * 4);
    }
  }

  // The low words of the lanes of both.
  static I32 low_words(I32 a, I32 b) { return vreinterpretq_s32_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b))); }

  static void store_8(std::byte* to, I32 v) {
    const int16x4_t words = vmovn_s32(v);
    const uint32_t all = vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(words, words))), 0);
    __builtin_memcpy(to, &all, sizeof(all));
  }
  static void store_16(std::byte* to, I32 v) { vst1_u8(bytes(to), vreinterpret_u8_s16(vmovn_s32(v))); }
  static void store_f32(std::byte* to, F64 low, F64 high) {
    vst1q_u8(bytes(to), vreinterpretq_u8_f32(vcombine_f32(vcvt_f32_f64(low), vcvt_f32_f64(high))));
  }
};

// Products of int16 with sums in int32.
struct NeonPairs {
  static int32x4_t dot(int32x4_t acc, int32x4_t a, int32x4_t b) {
    const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
    return vaddq_s32(acc, vpaddq_s32(low, high));
  }
  // For one cell of a and many of b: the first elements of b's cells beside each other, then the second ones, so that
  // products are summed as they are made.
  static int32x4_t arrange(int32x4_t b) {
    constexpr uint8_t kOrder[16] = {0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15};
    return vreinterpretq_s32_u8(vqtbl1q_u8(vreinterpretq_u8_s32(b), vld1q_u8(kOrder)));
  }
  static int32x4_t dot_arranged(int32x4_t acc, int32x4_t a, int32x4_t b) {
    const int16x8_t y = vreinterpretq_s16_s32(b);
    const int16x4_t x = vget_low_s16(vreinterpretq_s16_s32(a));
    return vmlal_high_lane_s16(vmlal_lane_s16(acc, vget_low_s16(y), x, 0), y, x, 1);
  }
};

// 24 accumulators, up to 4 vectors of B, one of A, of 32 registers.
struct NeonShape {
  static constexpr int kRows[kMaxTileVectors] = {12, 12, 8, 6};
};

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_VECTOR_NEON_H_
