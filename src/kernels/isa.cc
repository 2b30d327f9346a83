#include "kernels/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace twofold::kernels {

namespace {

constexpr std::array<std::string_view, 7> kNames = {"scalar",     "avx2", "avxvnni", "avx512",
                                                    "avx512vnni", "neon", "neondot"};

thread_local int scoped_isa = -1;

#if defined(__x86_64__)
// Compilers differ in whether __builtin_cpu_supports knows this one. The bit is in leaf 7, subleaf 1.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 4)) != 0;
}
#endif

std::vector<Isa> detect() {
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

Isa choose() {
  const std::span<const Isa> isas = available_isas();
  const char* name = std::getenv("TWOFOLD_ISA");
  if (name == nullptr || *name == '\0') return isas.back();
  std::string known;
  for (const Isa isa : isas) {
    if (to_string(isa) == name) return isa;
    known += (known.empty() ? "" : ", ") + std::string(to_string(isa));
  }
  throw_error(ErrorCode::kInvalidArgument, "the environment variable TWOFOLD_ISA is '{}', but this machine has: {}",
              name, known);
}

}  // namespace

std::string_view to_string(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

std::span<const Isa> available_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

Isa current_isa() {
  if (scoped_isa >= 0) return static_cast<Isa>(scoped_isa);
  static const Isa chosen = choose();
  return chosen;
}

IsaScope::IsaScope(Isa isa) : saved_(scoped_isa) {
  TWOFOLD_CHECK(std::ranges::find(available_isas(), isa) != available_isas().end());
  scoped_isa = static_cast<int>(isa);
}

IsaScope::~IsaScope() { scoped_isa = saved_; }

}  // namespace twofold::kernels
