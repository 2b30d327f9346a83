#include "register_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace twofold::kernels {

#if defined(__x86_64__)
namespace {

// More chains than latency times throughput, and few enough for the registers.
constexpr int kChains = 12, kChainsAvx2 = 6;

// The empty asm keeps the compiler from seeing that a and b never change, and a product be computed once.
#define TWOFOLD_PEAK(name, isa, kCount, vector, set, dot, reduce) \
  __attribute__((target(isa))) int32_t name(int64_t rounds) {     \
    vector acc[kCount], a = set(3), b = set(5);                   \
    for (int i = 0; i < kCount; ++i) acc[i] = set(i);             \
    for (int64_t r = 0; r < rounds; ++r) {                        \
      _Pragma("GCC unroll 16") for (int i = 0; i < kCount; ++i) { \
        asm volatile("" : "+v"(a), "+v"(b));                      \
        acc[i] = dot;                                             \
      }                                                           \
    }                                                             \
    vector sum = acc[0];                                          \
    for (int i = 1; i < kCount; ++i) sum = reduce(sum, acc[i]);   \
    int32_t lane;                                                 \
    __builtin_memcpy(&lane, &sum, sizeof(lane));                  \
    return lane;                                                  \
  }

#define TWOFOLD_512 "avx512f,avx512bw,avx512vl,avx512dq"
TWOFOLD_PEAK(quads_avx512vnni, TWOFOLD_512 ",avx512vnni", kChains, __m512i, _mm512_set1_epi32,
             _mm512_dpbusd_epi32(acc[i], a, b), _mm512_add_epi32)
TWOFOLD_PEAK(pairs_avx512vnni, TWOFOLD_512 ",avx512vnni", kChains, __m512i, _mm512_set1_epi32,
             _mm512_dpwssd_epi32(acc[i], a, b), _mm512_add_epi32)
TWOFOLD_PEAK(pairs_avx512, TWOFOLD_512, kChains, __m512i, _mm512_set1_epi32,
             _mm512_add_epi32(acc[i], _mm512_madd_epi16(a, b)), _mm512_add_epi32)
TWOFOLD_PEAK(pairs_avx2, "avx2", kChainsAvx2, __m256i, _mm256_set1_epi32,
             _mm256_add_epi32(acc[i], _mm256_madd_epi16(a, b)), _mm256_add_epi32)

volatile int32_t sink;

}  // namespace

int64_t run_in_registers(Isa isa, Dot dot, int64_t rounds) {
  if (dot == Dot::kQuads && isa == Isa::kAvx512Vnni) {
    sink = quads_avx512vnni(rounds);
    return rounds * kChains * 64;
  }
  if (dot == Dot::kPairs && isa == Isa::kAvx512Vnni) {
    sink = pairs_avx512vnni(rounds);
    return rounds * kChains * 32;
  }
  if (dot == Dot::kPairs && isa == Isa::kAvx512) {
    sink = pairs_avx512(rounds);
    return rounds * kChains * 32;
  }
  if (dot == Dot::kPairs && isa == Isa::kAvx2) {
    sink = pairs_avx2(rounds);
    return rounds * kChainsAvx2 * 16;
  }
  return 0;
}
#else
int64_t run_in_registers(Isa, Dot, int64_t) { return 0; }
#endif

}  // namespace twofold::kernels
