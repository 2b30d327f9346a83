#include "kernels/detect_isas.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace twofold::kernels {

#if defined(__x86_64__)
namespace {

// Compilers differ in whether __builtin_cpu_supports knows this one. The bit is in leaf 7, subleaf 1.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 4)) != 0;
}

}  // namespace
#endif

std::vector<Isa> detect_isas() {
  std::vector<Isa> found = {Isa::kScalar};
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx2) found.push_back(Isa::kAvx2);
  if (avx2 && has_avx_vnni()) found.push_back(Isa::kAvxVnni);
  if (avx512) found.push_back(Isa::kAvx512);
  if (avx512 && __builtin_cpu_supports("avx512vnni")) found.push_back(Isa::kAvx512Vnni);
#elif defined(__aarch64__)
  found.push_back(Isa::kNeon);
  if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) found.push_back(Isa::kNeonDot);
#endif
  return found;
}

}  // namespace twofold::kernels
