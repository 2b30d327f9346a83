#if defined(__x86_64__)
#include "kernels/skeleton.h"
#include "kernels/vector_avx2.h"

namespace twofold::kernels {

namespace {

struct Pairs {
  static __m256i dot(__m256i acc, __m256i a, __m256i b) { return _mm256_dpwssd_avx_epi32(acc, a, b); }
};

struct Quads {
  static constexpr bool kUnsigned = true;
  static __m256i dot(__m256i acc, __m256i a, __m256i b) { return _mm256_dpbusd_avx_epi32(acc, a, b); }
};

// 12 accumulators, 2 vectors of B, one of A.
struct Shape {
  static constexpr int kRows[kMaxTileVectors] = {6, 6, 0, 0};
};

}  // namespace

constexpr MicroKernels kMicroKernelsAvxVnni = make_micro_kernels<Avx2Vectors, Pairs, Quads, Shape>();

}  // namespace twofold::kernels
#endif
