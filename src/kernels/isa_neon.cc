#if defined(__aarch64__)
#include "kernels/skeleton.h"
#include "kernels/vector_neon.h"

namespace twofold::kernels {

constexpr MicroKernels kMicroKernelsNeon = make_micro_kernels<NeonVectors, NeonPairs, NoQuads, NeonShape>();

}  // namespace twofold::kernels
#endif
