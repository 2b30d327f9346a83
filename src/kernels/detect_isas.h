// What available_isas() asks, once. A file of its own, so that the tests of kernels for another CPU can link another
// answer (tests/avx_vnni).
#ifndef TWOFOLD_SRC_KERNELS_DETECT_ISAS_H_
#define TWOFOLD_SRC_KERNELS_DETECT_ISAS_H_

#include <vector>

#include "kernels/isa.h"

namespace twofold::kernels {

// Those that this build holds and this CPU runs, the most preferred one last.
std::vector<Isa> detect_isas();

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DETECT_ISAS_H_
