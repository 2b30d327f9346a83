#include "kernels/micro_kernels.h"

#include "base/check.h"
#include "kernels/isa.h"

namespace twofold::kernels {

const MicroKernels& micro_kernels(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return kMicroKernelsScalar;
#if defined(__x86_64__)
    case Isa::kAvx2: return kMicroKernelsAvx2;
    case Isa::kAvxVnni: return kMicroKernelsAvxVnni;
    case Isa::kAvx512: return kMicroKernelsAvx512;
    case Isa::kAvx512Vnni: return kMicroKernelsAvx512Vnni;
#elif defined(__aarch64__)
    case Isa::kNeon: return kMicroKernelsNeon;
    case Isa::kNeonDot: return kMicroKernelsNeonDot;
#endif
    default: TWOFOLD_CHECK(!"an instruction set of another architecture");
  }
  return kMicroKernelsScalar;
}

}  // namespace twofold::kernels
