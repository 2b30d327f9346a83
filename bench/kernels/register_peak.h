// How fast the multipliers of this CPU are when no operand comes from memory.
#ifndef TWOFOLD_BENCH_KERNELS_REGISTER_PEAK_H_
#define TWOFOLD_BENCH_KERNELS_REGISTER_PEAK_H_

#include <cstdint>

#include "kernels/isa.h"

namespace twofold::kernels {

enum class Dot { kQuads, kPairs };

// Runs `rounds` rounds of independent dots of one kind in registers; returns the multiplications that were done, 0
// where `isa` has no such instruction (or none is written down here).
int64_t run_in_registers(Isa isa, Dot dot, int64_t rounds);

}  // namespace twofold::kernels

#endif  // TWOFOLD_BENCH_KERNELS_REGISTER_PEAK_H_
