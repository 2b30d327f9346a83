// Plain loops, for machines that have nothing better.
#include "kernels/skeleton.h"
#include "kernels/vector_scalar.h"

namespace twofold::kernels {

namespace {

struct Pairs {
  static ScalarVectors::I32 dot(ScalarVectors::I32 acc, const ScalarVectors::I32& a, const ScalarVectors::I32& b) {
    for (int i = 0; i < ScalarVectors::kLanes; ++i) {
      // One product fits int32; the sums wrap, hence unsigned.
      const int32_t first = static_cast<int16_t>(a.lane[i]) * static_cast<int16_t>(b.lane[i]);
      const int32_t second = (a.lane[i] >> 16) * (b.lane[i] >> 16);
      acc.lane[i] = static_cast<int32_t>(static_cast<uint32_t>(acc.lane[i]) + static_cast<uint32_t>(first) +
                                         static_cast<uint32_t>(second));
    }
    return acc;
  }
};

struct Shape {
  static constexpr int kRows[kMaxTileVectors] = {2, 0, 0, 0};
};

}  // namespace

constexpr MicroKernels kMicroKernelsScalar = make_micro_kernels<ScalarVectors, Pairs, NoQuads, Shape>();

}  // namespace twofold::kernels
