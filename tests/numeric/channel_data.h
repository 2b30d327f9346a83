// What loops over channels are tested on: docs/numerics.md, rules 1 and 3, for one number, and arrays that take every
// way through the loops.
#ifndef TWOFOLD_TESTS_NUMERIC_CHANNEL_DATA_H_
#define TWOFOLD_TESTS_NUMERIC_CHANNEL_DATA_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/parallel_for.h"
#include "numeric/channel_scales.h"
#include "numeric/for_each_target.h"

namespace twofold::testing {

// Rules 1 and 3 of docs/numerics.md as they read, for one number.
struct Rounded {
  int q;
  bool inside;
};

inline Rounded rounded(float x, float scale, int zero_point, int low, int high) {
  if (std::isnan(x)) return {std::clamp(zero_point, low, high), false};
  const double q = static_cast<double>(std::nearbyint(x / scale)) + zero_point;
  return {static_cast<int>(std::clamp(q, static_cast<double>(low), static_cast<double>(high))), low <= q && q <= high};
}

struct Ec {
  int q1, q2;
  bool inside;
};

inline Ec ec_rounded(float x, float s1) {
  const int q1 = rounded(x, s1, 0, -128, 127).q;
  const Rounded second = rounded(x - static_cast<float>(q1) * s1, s1 / 254.0F, 0, -128, 127);
  return {q1, second.q, second.inside};
}

// Arrays that take every way through the loops: one scale; single elements, short and long runs of a channel; more than
// one thread; and, among the scales, those that are too small for a reciprocal.
struct Case {
  Shape shape;
  int axis;
  bool with_zeros = false;
};

inline const std::vector<Case> kCases = {
    {{0}, -1},
    {{2, 0, 3}, 1},
    {{7}, -1, true},
    {{301}, 0, true},
    {{5, 37}, 1},
    {{5, 37}, 1, true},
    {{6, 4, 9}, 1, true},
    {{3, 2, 100}, 1},
    {{2, 3, 211}, 1, true},
    {{70000}, -1},
    {{300, 257}, 1, true},
    {{2, 9, 63, 64}, 1},
    {{4, 1, 5}, 1, true},
};

struct Data {
  std::vector<float> scale, x;
  std::vector<int32_t> zero_point;
  ChannelScales scales;

  static std::vector<float> random_scales(const Case& c, std::mt19937& random) {
    std::vector<float> scale(c.axis < 0 ? 1 : static_cast<size_t>(c.shape[static_cast<size_t>(c.axis)]));
    std::uniform_real_distribution<float> exponent(-6, 1);
    for (float& s : scale) s = std::exp2(exponent(random));
    if (scale.size() > 3) scale[2] = 1e-25F;
    return scale;
  }

  static std::vector<int32_t> random_zeros(const Case& c, size_t count, int low, int high, std::mt19937& random) {
    std::vector<int32_t> zeros(c.with_zeros ? count : 0);
    for (int32_t& z : zeros) z = std::uniform_int_distribution<int32_t>(low, high)(random);
    return zeros;
  }

  // Numbers in and around the range of [low, high], ties, infinities and NaN.
  Data(const Case& c, int low, int high, unsigned seed, std::mt19937 random = std::mt19937())
      : scale((random.seed(seed), random_scales(c, random))),
        x(static_cast<size_t>(num_elements(c.shape))),
        zero_point(random_zeros(c, scale.size(), low, high, random)),
        scales(c.shape, c.axis, scale, zero_point) {
    const int span = high - low;
    std::uniform_int_distribution<int> halves(2 * low - span, 2 * high + span);
    std::uniform_real_distribution<float> fraction(-0.5F, 0.5F);
    for (size_t i = 0; i < x.size(); ++i) {
      const float steps = 0.5F * static_cast<float>(halves(random)) + (i % 2 == 0 ? fraction(random) : 0.0F);
      x[i] = steps * scale[channel(i)];
      if (i % 97 == 13) x[i] = NAN;
      if (i % 97 == 50) x[i] = i % 2 == 0 ? HUGE_VALF : -HUGE_VALF;
    }
  }

  size_t channel(size_t i) const { return i / static_cast<size_t>(scales.inner) % scale.size(); }
  int zero(size_t i) const { return zero_point.empty() ? 0 : zero_point[channel(i)]; }
};

template <typename Body>
void for_each_case(int low, int high, const Body& body) {
  for_each_target([&](const char* target) {
    for (const int threads : {1, 2}) {
      const ThreadScope scope(threads);
      for (size_t i = 0; i < kCases.size(); ++i) {
        SCOPED_TRACE(std::string(target) + " case " + std::to_string(i));
        body(Data(kCases[i], low, high, static_cast<unsigned>(i)));
      }
    }
  });
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_NUMERIC_CHANNEL_DATA_H_
