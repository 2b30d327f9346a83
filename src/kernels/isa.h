// The instruction sets that kernels are built for, and which of them runs.
#ifndef TWOFOLD_SRC_KERNELS_ISA_H_
#define TWOFOLD_SRC_KERNELS_ISA_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace twofold::kernels {

// From the least to the most preferred of each architecture.
enum class Isa : uint8_t {
  kScalar,      // plain loops, for any machine
  kAvx2,        // 256-bit dots of int16 pairs
  kAvxVnni,     // 256-bit dots of int8 quads and int16 pairs
  kAvx512,      // AVX-512 F, BW, VL and DQ: 512-bit dots of int16 pairs
  kAvx512Vnni,  // and 512-bit dots of int8 quads
  kNeon,        // 128-bit products of int16
  kNeonDot,     // and 128-bit dots of int8 quads
};

// "scalar", "avx2", "avxvnni", "avx512", "avx512vnni", "neon", "neondot".
std::string_view to_string(Isa isa);

// Those that this build holds and this CPU runs, the most preferred one last.
std::span<const Isa> available_isas();

// What is packed from now on in the calling thread is packed for this one: that of the innermost IsaScope, else that of
// the environment variable TWOFOLD_ISA, else the most preferred.
// Throws Error(kInvalidArgument) if TWOFOLD_ISA names none of available_isas().
Isa current_isa();

// Makes `isa` the current one of the calling thread for the life of the object.
// REQUIRES: `isa` is one of available_isas().
class IsaScope {
 public:
  explicit IsaScope(Isa isa);
  ~IsaScope();
  IsaScope(const IsaScope&) = delete;
  IsaScope& operator=(const IsaScope&) = delete;

 private:
  int saved_;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_ISA_H_
