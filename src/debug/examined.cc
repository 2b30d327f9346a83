#include "debug/examined.h"

namespace twofold {

void Examined::choose(const Remedy* remedy) {
  chosen.reset();
  if (remedy != nullptr) chosen = static_cast<size_t>(remedy - remedies.data());
}

bool Examined::both_inputs() const {
  if (!is_gemm || suspect.noise < kTolerableNoise / 5) return false;
  int alone = 0;
  bool both = false;
  for (const Remedy& tried : remedies) {
    const bool enough = tried.noise <= suspect.noise / 5;
    if (tried.kind == RemedyKind::kFirstAt16 || tried.kind == RemedyKind::kSecondAt16) {
      if (enough) return false;
      ++alone;
    }
    both |= tried.kind == RemedyKind::kAt16 && enough;
  }
  return alone == 2 && both;
}

}  // namespace twofold
