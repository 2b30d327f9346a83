// AVX-VNNI for x86-64 CPUs without it: VPDPBUSD and VPDPWSSD with a VEX prefix raise an illegal-instruction signal
// there, and the signal's handler does what they would have done. All that stands around them runs on the CPU as it is.
#ifndef TWOFOLD_TESTS_AVX_VNNI_AVX_VNNI_EMULATOR_H_
#define TWOFOLD_TESTS_AVX_VNNI_AVX_VNNI_EMULATOR_H_

#include <cstdint>

namespace twofold::kernels {

// From now on, in all threads. Other illegal instructions end the program as before. On a CPU with AVX-VNNI nothing is
// ever emulated.
// REQUIRES: Linux on a CPU with AVX2.
void install_avx_vnni_emulator();

// How many instructions have been emulated so far. Thread-safe.
int64_t emulated_instructions();

// Whether this CPU lacks AVX-VNNI.
// REQUIRES: the emulator is installed.
bool emulates_avx_vnni();

}  // namespace twofold::kernels

#endif  // TWOFOLD_TESTS_AVX_VNNI_AVX_VNNI_EMULATOR_H_
