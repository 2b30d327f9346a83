#if defined(__x86_64__)
#include "kernels/skeleton.h"
#include "kernels/vector_avx2.h"

namespace twofold::kernels {

namespace {

// vpmaddubsw would multiply 8-bit quads, but saturates at int16; so 8-bit operands run as pairs here.
struct Pairs {
  static __m256i dot(__m256i acc, __m256i a, __m256i b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
};

// 12 accumulators, 2 vectors of B, one of A and one product: the 16 registers.
struct Shape {
  static constexpr int kRows[kMaxTileVectors] = {6, 6, 0, 0};
};

}  // namespace

constexpr MicroKernels kMicroKernelsAvx2 = make_micro_kernels<Avx2Vectors, Pairs, NoQuads, Shape>();

}  // namespace twofold::kernels
#endif
