#include "numeric/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace twofold {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Every exponent (denormals included) with random significands, both signs, then a denser grid of the usual range.
std::vector<float> samples() {
  std::mt19937 random(7);
  std::vector<float> values = {0.0F, -0.0F, 1.0F, -1.0F, kInf, -kInf, kNan};
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (int i = 0; i < 400; ++i) {
      values.push_back(std::bit_cast<float>((static_cast<uint32_t>(random()) & 0x807fffffu) | (exponent << 23)));
    }
    for (uint32_t edge : {0u, 1u, 0x7ffffeu, 0x7fffffu})
      values.push_back(std::bit_cast<float>(edge | (exponent << 23)));
  }
  std::uniform_real_distribution<float> usual(-20, 20), near_one(-1.01F, 1.01F);
  for (int i = 0; i < 200000; ++i) {
    values.push_back(usual(random));
    values.push_back(near_one(random));
    values.push_back(1.0F + near_one(random) * 0.01F);
  }
  return values;
}

// Distance of `value` from the exact result in units of the last place of the float32 that is nearest to the latter.
double error_in_ulp(float value, long double exact) {
  if (std::isnan(value) || std::isnan(exact)) return std::isnan(value) && std::isnan(exact) ? 0 : 1e30;
  const auto nearest = static_cast<float>(exact);
  if (std::isinf(value) || std::isinf(nearest)) {
    // Within half an ulp above the largest float32 both answers are right.
    return value == nearest ? 0 : std::fabs(exact) > 3.4028234e38L && std::fabs(exact) < 3.4028237e38L ? 0.5 : 1e30;
  }
  const float size = std::max(std::fabs(nearest), std::numeric_limits<float>::min());
  const int exponent = static_cast<int>(std::bit_cast<uint32_t>(size) >> 23) - 150;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / std::ldexp(1.0L, exponent));
}

template <typename Function, typename Exact>
void expect_error(const char* name, double limit, const Function& function, const Exact& exact, float low = -kInf,
                  float high = kInf) {
  double worst = 0;
  float where = 0;
  for (float x : samples()) {
    if (x < low || x > high) continue;
    const double error = error_in_ulp(function(x), exact(static_cast<long double>(x)));
    if (error > worst) worst = error, where = x;
  }
  EXPECT_LE(worst, limit) << name << " at " << where << ": " << function(where) << " instead of "
                          << static_cast<double>(exact(static_cast<long double>(where)));
}

using Real = long double;

TEST(Math, ErrorsAreAsDocumented) {
  expect_error(
      "exp", 0.51, [](float x) { return math::exp(x); }, [](Real x) { return std::exp(x); });
  expect_error(
      "exp_nonpositive", 0.7, [](float x) { return math::exp_nonpositive(x); },
      [](Real x) { return x < -0x1.5d589ep+6L ? Real{0} : std::exp(x); }, -kInf, 0);
  expect_error(
      "expm1", 0.51, [](float x) { return math::expm1(x); }, [](Real x) { return std::expm1(x); });
  expect_error(
      "log", 0.51, [](float x) { return math::log(x); }, [](Real x) { return std::log(x); });
  expect_error(
      "erf", 0.55, [](float x) { return math::erf(x); }, [](Real x) { return std::erf(x); });
  expect_error(
      "tanh", 0.51, [](float x) { return math::tanh(x); }, [](Real x) { return std::tanh(x); });
  expect_error(
      "sinh", 0.51, [](float x) { return math::sinh(x); }, [](Real x) { return std::sinh(x); });
  expect_error(
      "cosh", 0.51, [](float x) { return math::cosh(x); }, [](Real x) { return std::cosh(x); });
  expect_error(
      "asinh", 0.51, [](float x) { return math::asinh(x); }, [](Real x) { return std::asinh(x); });
  expect_error(
      "acosh", 0.51, [](float x) { return math::acosh(x); }, [](Real x) { return std::acosh(x); });
  expect_error(
      "atanh", 0.51, [](float x) { return math::atanh(x); }, [](Real x) { return std::atanh(x); });
  expect_error(
      "sin", 0.51, [](float x) { return math::sin(x); }, [](Real x) { return std::sin(x); });
  expect_error(
      "cos", 0.51, [](float x) { return math::cos(x); }, [](Real x) { return std::cos(x); });
  expect_error(
      "tan", 0.51, [](float x) { return math::tan(x); }, [](Real x) { return std::tan(x); });
  expect_error(
      "atan", 0.51, [](float x) { return math::atan(x); }, [](Real x) { return std::atan(x); });
  expect_error(
      "asin", 0.51, [](float x) { return math::asin(x); }, [](Real x) { return std::asin(x); });
  expect_error(
      "acos", 0.51, [](float x) { return math::acos(x); }, [](Real x) { return std::acos(x); });
  expect_error(
      "sigmoid", 0.51, [](float x) { return math::sigmoid(x); }, [](Real x) { return 1 / (1 + std::exp(-x)); });
  expect_error(
      "softplus", 0.51, [](float x) { return math::softplus(x); },
      [](Real x) { return std::max(x, Real{0}) + std::log1p(std::exp(-std::fabs(x))); });
  const auto sigmoid = [](Real x) { return 1 / (1 + std::exp(-x)); };
  expect_error(
      "swish", 0.51, [](float x) { return math::swish(x, 1.0F); },
      [&](Real x) { return x == -kInf ? Real{-0.0} : x * sigmoid(x); });
  expect_error(
      "mish", 0.51, [](float x) { return math::mish(x); },
      [](Real x) {
        return x == -kInf ? Real{-0.0} : x * std::tanh(x < -30 ? std::exp(x) : x > 50 ? x : std::log1p(std::exp(x)));
      });
  expect_error(
      "gelu", 0.55, [](float x) { return math::gelu(x); },
      [](Real x) { return x / 2 * (1 + std::erf(x / std::sqrt(Real{2}))); }, 0.0F);
  expect_error(
      "gelu_tanh", 0.51, [](float x) { return math::gelu_tanh(x); },
      [&](Real x) {
        const Real u = 2 * std::sqrt(2 / 3.14159265358979323846L) * (x + 0.044715L * x * x * x);
        return x == -kInf ? Real{-0.0} : x * sigmoid(u);
      });
}

TEST(Math, PowIsWithin051Ulp) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> exponents(-20, 20);
  double worst = 0;
  for (float x : samples()) {
    if (!(x > 0) || x == kInf) continue;
    const float y = exponents(random);
    const Real exact = std::pow(static_cast<Real>(x), static_cast<Real>(y));
    worst = std::max(worst, error_in_ulp(math::pow(x, y), exact));
  }
  EXPECT_LE(worst, 0.51);
}

TEST(Math, SpecialValues) {
  EXPECT_EQ(math::exp(-kInf), 0.0F);
  EXPECT_EQ(math::exp(kInf), kInf);
  EXPECT_EQ(math::exp(0.0F), 1.0F);
  EXPECT_EQ(math::exp_nonpositive(-kInf), 0.0F);
  EXPECT_EQ(math::exp_nonpositive(-0.0F), 1.0F);
  EXPECT_TRUE(std::isnan(math::exp_nonpositive(kNan)));
  EXPECT_EQ(math::log(0.0F), -kInf);
  EXPECT_EQ(math::log(1.0F), 0.0F);
  EXPECT_TRUE(std::isnan(math::log(-1.0F)));
  EXPECT_EQ(math::tanh(kInf), 1.0F);
  EXPECT_TRUE(std::signbit(math::tanh(-0.0F)));
  EXPECT_TRUE(std::signbit(math::sin(-0.0F)));
  EXPECT_TRUE(std::isnan(math::sin(kInf)));
  EXPECT_EQ(math::cos(0.0F), 1.0F);
  EXPECT_EQ(math::atanh(-1.0F), -kInf);
  EXPECT_TRUE(std::isnan(math::asin(1.5F)));
  EXPECT_TRUE(std::isnan(math::acosh(0.5F)));
  EXPECT_EQ(math::erf(-kInf), -1.0F);
  EXPECT_EQ(math::sigmoid(-kInf), 0.0F);
  EXPECT_EQ(math::pow(kNan, 0.0F), 1.0F);
  EXPECT_EQ(math::pow(1.0F, kNan), 1.0F);
  for (auto function : {math::softplus, math::mish, math::gelu, math::gelu_tanh}) EXPECT_EQ(function(-kInf), 0.0F);
}

TEST(Math, NegativeGeluHasASmallAbsoluteError) {
  for (float x : samples()) {
    if (!(x < 0) || x == -kInf) continue;
    const Real exact = static_cast<Real>(x) / 2 * std::erfc(-static_cast<Real>(x) / std::sqrt(Real{2}));
    EXPECT_LE(std::fabs(math::gelu(x) - exact), 0x1p-26L * std::fabs(x) + 0x1p-24L * std::fabs(exact) + 1e-45L) << x;
  }
}

}  // namespace
}  // namespace twofold
