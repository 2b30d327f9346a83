// 256-bit vectors of x86. To be compiled with -mavx2.
#ifndef TWOFOLD_SRC_KERNELS_VECTOR_AVX2_H_
#define TWOFOLD_SRC_KERNELS_VECTOR_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

struct Avx2Vectors {
  static constexpr int kLanes = 8, kRegisters = 16;
  static constexpr int kFusedSums = 6, kMaxFusedCells = 64;  // fused_skeleton.h
  static constexpr bool kRoundsProducts = true;              // in mul_add
  using I32 = __m256i;
  using F64 = __m256d;

  static I32 load(const int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static I32 load_cells(const std::byte* from) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(from)); }
  static void store_bytes(std::byte* to, I32 v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v); }
  static void store_cells(std::byte* to, I32 v) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), v); }
  static void store(int32_t* to, I32 v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v); }
  static I32 broadcast(int32_t value) { return _mm256_set1_epi32(value); }
  static I32 broadcast_cell(const std::byte* from) {
    int32_t cell;
    __builtin_memcpy(&cell, from, sizeof(cell));
    return _mm256_set1_epi32(cell);
  }
  static I32 add(I32 a, I32 b) { return _mm256_add_epi32(a, b); }

  static I32 shift_left_8(I32 a) { return _mm256_slli_epi32(a, 8); }
  static I32 shift_right_8(I32 a) { return _mm256_srai_epi32(a, 8); }

  // Depthwise convolution: a vector of 8- or 16-bit channels, of which `bytes` bytes may be read.
  static I32 load_bytes(const std::byte* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static constexpr bool kMasksLoads = false;
  static I32 load_partial(const std::byte* from, int bytes) {
    if (bytes == 16) {
      return _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));  // the rest is never used
    }
    alignas(32) std::byte whole[32] = {};
    __builtin_memcpy(whole, from, static_cast<size_t>(bytes));
    return load_cells(whole);
  }
  static void store_partial(std::byte* to, I32 v, int bytes) {
    alignas(32) std::byte whole[32];
    store_cells(whole, v);
    __builtin_memcpy(to, whole, static_cast<size_t>(bytes));
  }
  // 16 bytes, of which `bytes` may be read, as words.
  template <bool kSigned>
  static I32 widen(const std::byte* from, int bytes) {
    __m128i v;
    if (bytes == 16) {
      v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    } else {
      v = _mm256_castsi256_si128(load_partial(from, bytes));
    }
    return kSigned ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
  }
  static I32 bit_xor(I32 a, I32 b) { return _mm256_xor_si256(a, b); }
  static I32 sub_bytes(I32 a, I32 b) { return _mm256_sub_epi8(a, b); }
  static I32 sub_words(I32 a, I32 b) { return _mm256_sub_epi16(a, b); }
  static void interleave_2(I32 a, I32 b, I32* cells) {
    cells[0] = _mm256_unpacklo_epi16(a, b);
    cells[1] = _mm256_unpackhi_epi16(a, b);
  }
  static void interleave_4(I32 a, I32 b, I32 c, I32 d, I32* cells) {
    const I32 ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
    const I32 cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
    cells[0] = _mm256_unpacklo_epi16(ab_low, cd_low);
    cells[1] = _mm256_unpackhi_epi16(ab_low, cd_low);
    cells[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
    cells[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
  }
  // The order of words (bytes) that makes interleave_2 (interleave_4), which works in 128-bit blocks, leave the cells
  // in order.
  static I32 spread_2(I32 v) { return _mm256_permute4x64_epi64(v, 0xD8); }
  static I32 spread_4(I32 v) { return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7)); }

  static F64 load(const double* from) { return _mm256_loadu_pd(from); }
  static void store(double* to, F64 v) { _mm256_storeu_pd(to, v); }
  static F64 broadcast(double value) { return _mm256_set1_pd(value); }
  static F64 add(F64 a, F64 b) { return _mm256_add_pd(a, b); }
  static F64 mul(F64 a, F64 b) { return _mm256_mul_pd(a, b); }
  static F64 clamp(F64 a, F64 low, F64 high) { return _mm256_min_pd(_mm256_max_pd(a, low), high); }
  static void halves(I32 v, F64* halves) {
    halves[0] = _mm256_cvtepi32_pd(_mm256_castsi256_si128(v));
    halves[1] = _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1));
  }
  static void load_halves(const int32_t* from, F64* halves) {
    for (int h = 0; h < 2; ++h)
      halves[h] = _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 4 * h)));
  }
  // high 2^16 + int32(wrapped - high 2^16). Both terms and their sum are exact in double.
  static void load_halves(const int32_t* wrapped, const int32_t* high, F64* halves) {
    for (int h = 0; h < 2; ++h) {
      const __m128i top = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high + 4 * h));
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(wrapped + 4 * h));
      const __m128i rest = _mm_sub_epi32(low, _mm_slli_epi32(top, 16));
      halves[h] = add(mul(_mm256_cvtepi32_pd(top), _mm256_set1_pd(65536.0)), _mm256_cvtepi32_pd(rest));
    }
  }
  // top unit + low, exact in double.
  static void halves_of_parts(I32 top, double unit, I32 low, F64* sums) {
    F64 tops[2], lows[2];
    halves(top, tops);
    halves(low, lows);
    for (int h = 0; h < 2; ++h) sums[h] = add(mul(tops[h], broadcast(unit)), lows[h]);
  }
  static void halves(I32 wrapped, I32 high, F64* sums) {
    halves_of_parts(high, 65536.0, _mm256_sub_epi32(wrapped, _mm256_slli_epi32(high, 16)), sums);
  }
  // The conversion rounds to the nearest integer, ties to even.
  static I32 round(F64 low, F64 high) { return _mm256_set_m128i(_mm256_cvtpd_epi32(high), _mm256_cvtpd_epi32(low)); }

  using F32 = __m256;
  static F32 load(const float* from) { return _mm256_loadu_ps(from); }
  static F32 to_f32(I32 v) { return _mm256_cvtepi32_ps(v); }
  // a * b + c, after one rounding more.
  static F32 mul_add(F32 a, F32 b, float c) { return _mm256_add_ps(_mm256_mul_ps(a, b), _mm256_set1_ps(c)); }
  static I32 bits(F32 v) { return _mm256_castps_si256(v); }
  static I32 round(F32 v) { return _mm256_cvtps_epi32(v); }
  // acc | (a ^ b)
  static I32 or_difference(I32 acc, I32 a, I32 b) { return _mm256_or_si256(acc, _mm256_xor_si256(a, b)); }
  static bool any(I32 v) { return _mm256_testz_si256(v, v) == 0; }
  static I32 clamp(I32 v, I32 low, I32 high) { return _mm256_min_epi32(_mm256_max_epi32(v, low), high); }
  // top 2^kBits + low.
  template <int kBits>
  static F32 to_f32(I32 top, I32 low) {
    const I32 rest = _mm256_and_si256(low, _mm256_set1_epi32((1 << kBits) - 1));
    const F32 carried = to_f32(_mm256_add_epi32(top, _mm256_srai_epi32(low, kBits)));
    return _mm256_add_ps(_mm256_mul_ps(carried, _mm256_set1_ps(1 << kBits)), to_f32(rest));
  }
  // high 2^16 + int32(wrapped - high 2^16).
  static F32 to_f32(I32 wrapped, I32 high) {
    return to_f32<16>(high, _mm256_sub_epi32(wrapped, _mm256_slli_epi32(high, 16)));
  }

  // Vectors that are narrowed together.
  static constexpr int kGroup = 2;
  struct ByteBounds {
    I32 zero_point, low, high;  // as words
    explicit ByteBounds(const TileOutput& output)
        : zero_point(_mm256_set1_epi16(static_cast<int16_t>(output.zero_point))),
          low(_mm256_set1_epi16(static_cast<int16_t>(static_cast<int32_t>(output.low) + output.zero_point))),
          high(_mm256_set1_epi16(static_cast<int16_t>(static_cast<int32_t>(output.high) + output.zero_point))) {}
  };
  // The first kCount of two vectors as bytes: saturated to words, plus the zero point, between the bounds. Packs work
  // in 128-bit blocks: block i of `halves` holds the bytes of half i of each vector, twice.
  template <int kCount>
  static void narrow_to_bytes(std::byte* to, const I32* q, const ByteBounds& bounds) {
    const I32 sum = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), bounds.zero_point);
    const I32 clamped = _mm256_min_epi16(_mm256_max_epi16(sum, bounds.low), bounds.high);
    const I32 words = _mm256_and_si256(clamped, _mm256_set1_epi16(0xFF));
    const I32 halves = _mm256_packus_epi16(words, words);
    const I32 bytes = _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5));
    if constexpr (kCount == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
    } else {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
    }
  }

  // The low words of the lanes of both.
  static I32 low_words(I32 a, I32 b) {
    const I32 word = _mm256_set1_epi32(0xFFFF);
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(_mm256_and_si256(a, word), _mm256_and_si256(b, word)), 0xD8);
  }

  static void store_8(std::byte* to, I32 v) {
    // The low bytes of the four lanes of either half, then both halves side by side.
    const __m256i bytes = _mm256_shuffle_epi8(
        v, _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)));
    const __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), both);
  }
  static void store_16(std::byte* to, I32 v) {
    const __m256i words = _mm256_shuffle_epi8(
        v, _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1)));
    const __m128i both = _mm_unpacklo_epi64(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), both);
  }
  static void store_f32(std::byte* to, F64 low, F64 high) {
    _mm_storeu_ps(reinterpret_cast<float*>(to), _mm256_cvtpd_ps(low));
    _mm_storeu_ps(reinterpret_cast<float*>(to) + 4, _mm256_cvtpd_ps(high));
  }
};

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_VECTOR_AVX2_H_
