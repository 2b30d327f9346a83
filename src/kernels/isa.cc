#include "kernels/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "kernels/detect_isas.h"

namespace twofold::kernels {

namespace {

constexpr std::array<std::string_view, 7> kNames = {"scalar",     "avx2", "avxvnni", "avx512",
                                                    "avx512vnni", "neon", "neondot"};

thread_local int scoped_isa = -1;

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
  static const std::vector<Isa> isas = detect_isas();
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
