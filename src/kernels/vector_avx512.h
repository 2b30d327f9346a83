// 512-bit vectors of x86. To be compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq.
#ifndef TWOFOLD_SRC_KERNELS_VECTOR_AVX512_H_
#define TWOFOLD_SRC_KERNELS_VECTOR_AVX512_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

struct Avx512Vectors {
  static constexpr int kLanes = 16, kRegisters = 32;
  static constexpr int kFusedSums = 12, kMaxFusedCells = 1 << 20;  // fused_skeleton.h
  static constexpr bool kRoundsProducts = false;                   // in mul_add
  using I32 = __m512i;
  using F64 = __m512d;

  static I32 load(const int32_t* from) { return _mm512_loadu_si512(from); }
  static I32 load_cells(const std::byte* from) { return _mm512_load_si512(from); }
  static void store_bytes(std::byte* to, I32 v) { _mm512_storeu_si512(to, v); }
  static void store_cells(std::byte* to, I32 v) { _mm512_store_si512(to, v); }
  static void store(int32_t* to, I32 v) { _mm512_storeu_si512(to, v); }
  static I32 broadcast(int32_t value) { return _mm512_set1_epi32(value); }
  static I32 broadcast_cell(const std::byte* from) {
    int32_t cell;
    __builtin_memcpy(&cell, from, sizeof(cell));
    return _mm512_set1_epi32(cell);
  }
  static I32 add(I32 a, I32 b) { return _mm512_add_epi32(a, b); }

  static I32 shift_left_8(I32 a) { return _mm512_slli_epi32(a, 8); }
  static I32 shift_right_8(I32 a) { return _mm512_srai_epi32(a, 8); }

  // Depthwise convolution: a vector of 8- or 16-bit channels, of which `bytes` bytes may be read.
  static I32 load_bytes(const std::byte* from) { return _mm512_loadu_si512(from); }
  static constexpr bool kMasksLoads = true;  // a partial load costs no more than a whole one
  static I32 load_partial(const std::byte* from, int bytes) {
    return _mm512_maskz_loadu_epi8(~uint64_t{0} >> (64 - bytes), from);
  }
  static void store_partial(std::byte* to, I32 v, int bytes) {
    _mm512_mask_storeu_epi8(to, ~uint64_t{0} >> (64 - bytes), v);
  }
  // 32 bytes, of which `bytes` may be read, as words.
  template <bool kSigned>
  static I32 widen(const std::byte* from, int bytes) {
    const __m256i v = bytes == 32 ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))
                                  : _mm256_maskz_loadu_epi8((uint32_t{1} << bytes) - 1, from);
    return kSigned ? _mm512_cvtepi8_epi16(v) : _mm512_cvtepu8_epi16(v);
  }
  static I32 bit_xor(I32 a, I32 b) { return _mm512_xor_si512(a, b); }
  static I32 sub_bytes(I32 a, I32 b) { return _mm512_sub_epi8(a, b); }
  static I32 sub_words(I32 a, I32 b) { return _mm512_sub_epi16(a, b); }
  static void interleave_2(I32 a, I32 b, I32* cells) {
    cells[0] = _mm512_unpacklo_epi16(a, b);
    cells[1] = _mm512_unpackhi_epi16(a, b);
  }
  static void interleave_4(I32 a, I32 b, I32 c, I32 d, I32* cells) {
    const I32 ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
    const I32 cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
    cells[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
    cells[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
    cells[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
    cells[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
  }
  // The order of words (bytes) that makes interleave_2 (interleave_4), which works in 128-bit blocks, leave the cells
  // in order.
  static I32 spread_2(I32 v) { return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), v); }
  static I32 spread_4(I32 v) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
  }

  static F64 load(const double* from) { return _mm512_loadu_pd(from); }
  static void store(double* to, F64 v) { _mm512_storeu_pd(to, v); }
  static F64 broadcast(double value) { return _mm512_set1_pd(value); }
  static F64 add(F64 a, F64 b) { return _mm512_add_pd(a, b); }
  static F64 mul(F64 a, F64 b) { return _mm512_mul_pd(a, b); }
  static F64 clamp(F64 a, F64 low, F64 high) { return _mm512_min_pd(_mm512_max_pd(a, low), high); }
  static void halves(I32 v, F64* halves) {
    halves[0] = _mm512_cvtepi32_pd(_mm512_castsi512_si256(v));
    halves[1] = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1));
  }
  static void load_halves(const int32_t* from, F64* halves) {
    for (int h = 0; h < 2; ++h) {
      halves[h] = _mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 8 * h)));
    }
  }
  // high 2^16 + int32(wrapped - high 2^16). Both terms and their sum are exact in double.
  static void load_halves(const int32_t* wrapped, const int32_t* high, F64* halves) {
    for (int h = 0; h < 2; ++h) {
      const __m256i top = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + 8 * h));
      const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(wrapped + 8 * h));
      const __m256i rest = _mm256_sub_epi32(low, _mm256_slli_epi32(top, 16));
      halves[h] = _mm512_fmadd_pd(_mm512_cvtepi32_pd(top), _mm512_set1_pd(65536.0), _mm512_cvtepi32_pd(rest));
    }
  }
  // top unit + low, exact in double.
  static void halves_of_parts(I32 top, double unit, I32 low, F64* sums) {
    F64 tops[2], lows[2];
    halves(top, tops);
    halves(low, lows);
    for (int h = 0; h < 2; ++h) sums[h] = _mm512_fmadd_pd(tops[h], _mm512_set1_pd(unit), lows[h]);
  }
  static void halves(I32 wrapped, I32 high, F64* sums) {
    halves_of_parts(high, 65536.0, _mm512_sub_epi32(wrapped, _mm512_slli_epi32(high, 16)), sums);
  }
  // To the nearest integer, ties to even. Adding 1.5 * 2^52 rounds so and leaves the integer in the low words, which
  // one permutation collects: less work than two conversions and an insertion. REQUIRES: values within int32.
  static I32 round(F64 low, F64 high) {
    const F64 magic = _mm512_set1_pd(6755399441055744.0);
    const I32 words = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_epi32(_mm512_castpd_si512(_mm512_add_pd(low, magic)), words,
                                     _mm512_castpd_si512(_mm512_add_pd(high, magic)));
  }

  using F32 = __m512;
  static F32 load(const float* from) { return _mm512_loadu_ps(from); }
  static F32 to_f32(I32 v) { return _mm512_cvtepi32_ps(v); }
  // a * b + c.
  static F32 mul_add(F32 a, F32 b, float c) { return _mm512_fmadd_ps(a, b, _mm512_set1_ps(c)); }
  static I32 bits(F32 v) { return _mm512_castps_si512(v); }
  static I32 round(F32 v) { return _mm512_cvtps_epi32(v); }
  // acc | (a ^ b)
  static I32 or_difference(I32 acc, I32 a, I32 b) { return _mm512_ternarylogic_epi32(acc, a, b, 0xF6); }
  static bool any(I32 v) { return _mm512_test_epi32_mask(v, v) != 0; }
  static I32 clamp(I32 v, I32 low, I32 high) { return _mm512_min_epi32(_mm512_max_epi32(v, low), high); }
  // top 2^kBits + low.
  template <int kBits>
  static F32 to_f32(I32 top, I32 low) {
    const I32 rest = _mm512_and_si512(low, _mm512_set1_epi32((1 << kBits) - 1));
    const F32 carried = to_f32(_mm512_add_epi32(top, _mm512_srai_epi32(low, kBits)));
    return _mm512_fmadd_ps(carried, _mm512_set1_ps(1 << kBits), to_f32(rest));
  }
  // high 2^16 + int32(wrapped - high 2^16).
  static F32 to_f32(I32 wrapped, I32 high) {
    return to_f32<16>(high, _mm512_sub_epi32(wrapped, _mm512_slli_epi32(high, 16)));
  }

  // Vectors that are narrowed together.
  static constexpr int kGroup = 4;
  struct ByteBounds {
    I32 zero_point, low, high;  // as words
    explicit ByteBounds(const TileOutput& output)
        : zero_point(_mm512_set1_epi16(static_cast<int16_t>(output.zero_point))),
          low(_mm512_set1_epi16(static_cast<int16_t>(static_cast<int32_t>(output.low) + output.zero_point))),
          high(_mm512_set1_epi16(static_cast<int16_t>(static_cast<int32_t>(output.high) + output.zero_point))) {}
  };
  // The first kCount of four vectors as bytes: saturated to words, plus the zero point, between the bounds. Packs work
  // in 128-bit blocks: block i of `quarters` holds the bytes of quarter i of each vector.
  template <int kCount>
  static void narrow_to_bytes(std::byte* to, const I32* q, const ByteBounds& bounds) {
    const auto words = [&bounds](I32 a, I32 b) {
      const I32 sum = _mm512_adds_epi16(_mm512_packs_epi32(a, b), bounds.zero_point);
      const I32 clamped = _mm512_min_epi16(_mm512_max_epi16(sum, bounds.low), bounds.high);
      return _mm512_and_si512(clamped, _mm512_set1_epi16(0xFF));
    };
    const I32 first = words(q[0], q[1]);
    const I32 quarters = _mm512_packus_epi16(first, kCount > 2 ? words(q[2], q[3]) : first);
    const I32 order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const I32 bytes = _mm512_permutexvar_epi32(order, quarters);
    if constexpr (kCount == 4) {
      _mm512_storeu_si512(to, bytes);
    } else {
      if constexpr (kCount >= 2) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
      if constexpr (kCount != 2) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (kCount - 1) * 16),
                         _mm512_extracti32x4_epi32(bytes, kCount - 1));
      }
    }
  }

  // The low words of the lanes of both.
  static I32 low_words(I32 a, I32 b) {
    alignas(64) static constexpr int16_t kEven[32] = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                                                      32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62};
    return _mm512_permutex2var_epi16(a, _mm512_load_si512(kEven), b);
  }

  static void store_8(std::byte* to, I32 v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(v));
  }
  static void store_16(std::byte* to, I32 v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(v));
  }
  static void store_f32(std::byte* to, F64 low, F64 high) {
    _mm256_storeu_ps(reinterpret_cast<float*>(to), _mm512_cvtpd_ps(low));
    _mm256_storeu_ps(reinterpret_cast<float*>(to) + 8, _mm512_cvtpd_ps(high));
  }
};

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_VECTOR_AVX512_H_
