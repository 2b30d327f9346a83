#if defined(__aarch64__)
#include "kernels/skeleton.h"
#include "kernels/vector_neon.h"

namespace twofold::kernels {

namespace {

struct Quads {
  static constexpr bool kUnsigned = false;
  static int32x4_t dot(int32x4_t acc, int32x4_t a, int32x4_t b) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};

}  // namespace

constexpr MicroKernels kMicroKernelsNeonDot = make_micro_kernels<NeonVectors, NeonPairs, Quads, NeonShape>();

}  // namespace twofold::kernels
#endif
