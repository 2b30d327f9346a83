// Vector loops run with each instruction set that Highway has compiled them for.
#ifndef TWOFOLD_TESTS_NUMERIC_FOR_EACH_TARGET_H_
#define TWOFOLD_TESTS_NUMERIC_FOR_EACH_TARGET_H_

#include "hwy/highway.h"

namespace twofold::testing {

// Calls body(name) once per SIMD target that this CPU has, with only that target enabled.
template <typename Body>
void for_each_target(const Body& body) {
#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0  // nothing to choose, and no library that chooses
  body(hwy::TargetName(HWY_TARGETS));
#else
  for (int64_t targets = hwy::SupportedTargets() & HWY_TARGETS; targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    body(hwy::TargetName(targets & -targets));
  }
  hwy::SetSupportedTargetsForTest(0);
#endif
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_NUMERIC_FOR_EACH_TARGET_H_
