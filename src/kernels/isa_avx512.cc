#if defined(__x86_64__)
#include "kernels/skeleton.h"
#include "kernels/vector_avx512.h"

namespace twofold::kernels {

namespace {

struct Pairs {
  static __m512i dot(__m512i acc, __m512i a, __m512i b) { return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b)); }
};

// 24 accumulators, up to 4 vectors of B, one of A and one product, of 32 registers.
struct Shape {
  static constexpr int kRows[kMaxTileVectors] = {12, 12, 8, 6};
};

}  // namespace

constexpr MicroKernels kMicroKernelsAvx512 = make_micro_kernels<Avx512Vectors, Pairs, NoQuads, Shape>();

}  // namespace twofold::kernels
#endif
