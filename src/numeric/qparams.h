// How real numbers map to integers: q = round(x / scale) + zero_point.
#ifndef TWOFOLD_SRC_NUMERIC_QPARAMS_H_
#define TWOFOLD_SRC_NUMERIC_QPARAMS_H_

#include <cstdint>
#include <vector>

#include "twofold/dtype.h"

namespace twofold {

// A value. Per tensor: axis = -1 and one scale; per channel: one scale per index of `axis`.
// For QType::kEc `scale` is that of the first digit (s1); the second digit's is ec_residual_scale(s1).
struct QParams {
  QType qtype = QType::kFloat32;
  int axis = -1;
  std::vector<float> scale;
  std::vector<int32_t> zero_point;  // empty means all 0 (symmetric)

  bool operator==(const QParams&) const = default;
};

// Smallest and largest integer of a type: int8 [-128, 127], int16 [-32768, 32767], ec [-32640, 32385].
// REQUIRES: is_integer(qtype).
int32_t qmin(QType qtype);
int32_t qmax(QType qtype);

// Scale of the symmetric range [-threshold, threshold]: T/127 for int8 and for ec's first digit, T/32767 for int16.
// 1 where the threshold is 0; never so large that the smallest integer of int8 or int16 stands for infinity. REQUIRES:
// threshold finite and >= 0, is_integer(qtype).
float symmetric_scale(float threshold, QType qtype);

// The range that a symmetric scale covers: the inverse of symmetric_scale.
float symmetric_threshold(float scale, QType qtype);

// Scale and zero point of [min, max] widened to hold 0; int8 only spans 255 steps, int16 65535.
// The zero point is the one that makes real 0 an integer exactly. REQUIRES: int8 or int16.
QParams asymmetric_qparams(float min, float max, QType qtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_QPARAMS_H_
