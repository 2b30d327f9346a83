#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "loops/unary_loops.h"
#include "numeric/math.h"
#include "ops/same_on_every_target.h"

namespace twofold::testing {
namespace {

using Floats = std::vector<float>;

constexpr float kInf = std::numeric_limits<float>::infinity();

Floats run(const std::string& op, const Floats& x, const AttributeList& attributes = {}) {
  return values<float>(run_op(op, {tensor<float>({static_cast<int64_t>(x.size())}, x)}, attributes)[0]);
}

TEST(Unary, RoundingTiesAndSigns) {
  EXPECT_EQ(run("Round", {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 8388609.0F, kInf}),
            (Floats{0, 2, 2, -0.0F, -2, -2, 8388609.0F, kInf}));
  EXPECT_EQ(run("Floor", {0.9F, -0.1F, -2.0F, 3.0F, -kInf}), (Floats{0, -1, -2, 3, -kInf}));
  EXPECT_EQ(run("Ceil", {0.1F, -0.9F, 2.0F, -3.5F, kInf}), (Floats{1, -0.0F, 2, -3, kInf}));
  EXPECT_TRUE(std::signbit(run("Ceil", {-0.9F})[0]));
  EXPECT_TRUE(std::signbit(run("Round", {-0.5F})[0]));
  EXPECT_EQ(run("Sign", {-3, 0, 0.001F, -kInf}), (Floats{-1, 0, 1, -1}));
}

TEST(Unary, PiecewiseLinear) {
  EXPECT_EQ(run("Relu", {-1, 0, 2}), (Floats{0, 0, 2}));
  EXPECT_TRUE(std::isnan(run("Relu", {NAN})[0]));
  EXPECT_EQ(run("LeakyRelu", {-2, 3}, {{"alpha", 0.25F}}), (Floats{-0.5F, 3}));
  EXPECT_EQ(run("HardSigmoid", {-10, 0, 1, 10}, {{"alpha", 0.25F}, {"beta", 0.5F}}), (Floats{0, 0.5F, 0.75F, 1}));
  EXPECT_EQ(run("HardSwish", {-4, -3, 0, 3, 6}), (Floats{0, 0, 0, 3, 6}));
  EXPECT_EQ(run("ThresholdedRelu", {1, 1.5F, 2, 3}, {{"alpha", 2.0F}}), (Floats{0, 0, 0, 3}));
  EXPECT_EQ(run("Shrink", {-3, -1, 0, 1, 3}, {{"lambd", 1.5F}, {"bias", 1.0F}}), (Floats{-2, 0, 0, 0, 2}));
  EXPECT_EQ(run("Softsign", {1, -3}), (Floats{0.5F, -0.75F}));
}

TEST(Unary, ExponentialFamilyAgreesWithTheFormulas) {
  const Floats x = {-5, -1.5F, -0.25F, 0, 0.25F, 1.5F, 5};
  const auto expect = [&](const char* op, const AttributeList& attributes, const auto& formula) {
    const Floats y = run(op, x, attributes);
    for (size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      EXPECT_NEAR(y[i], formula(v), 1e-6 * (1 + std::fabs(formula(v)))) << op << " at " << v;
    }
  };
  expect("Elu", {{"alpha", 2.0F}}, [](double v) { return v < 0 ? 2 * std::expm1(v) : v; });
  expect("Celu", {{"alpha", 2.0F}}, [](double v) { return v < 0 ? 2 * std::expm1(v / 2) : v; });
  expect("Selu", {{"alpha", 2.0F}, {"gamma", 3.0F}}, [](double v) { return 3 * (v < 0 ? 2 * std::expm1(v) : v); });
  expect("Softplus", {}, [](double v) { return std::log1p(std::exp(v)); });
  expect("Mish", {}, [](double v) { return v * std::tanh(std::log1p(std::exp(v))); });
  expect("Gelu", {}, [](double v) { return v / 2 * std::erfc(-v / std::sqrt(2.0)); });
  expect("Gelu", {{"approximate", std::string("tanh")}}, [](double v) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)));
  });
  expect("Swish", {{"alpha", 0.5F}}, [](double v) { return v / (1 + std::exp(-0.5 * v)); });
  expect("Sigmoid", {}, [](double v) { return 1 / (1 + std::exp(-v)); });
}

TEST(Unary, IntegersWrapAndKeepTheirType) {
  const Tensor x = tensor<int8_t>({4}, {-128, -1, 0, 127});
  EXPECT_EQ(values<int8_t>(run_op("Neg", {x})[0]), (std::vector<int8_t>{-128, 1, 0, -127}));
  EXPECT_EQ(values<int8_t>(run_op("Abs", {x})[0]), (std::vector<int8_t>{-128, 1, 0, 127}));
  EXPECT_EQ(values<int8_t>(run_op("Relu", {x})[0]), (std::vector<int8_t>{0, 0, 0, 127}));
  EXPECT_EQ(values<int8_t>(run_op("BitwiseNot", {x})[0]), (std::vector<int8_t>{127, 0, -1, -128}));
  EXPECT_EQ(error_of("Exp", {x}), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of("Not", {x}), ErrorCode::kInvalidModel);
}

TEST(Unary, ClipTakesOptionalBounds) {
  const Tensor x = tensor<float>({4}, {-5, -1, 1, NAN});
  const auto low = Tensor::scalar(-2.0F), high = Tensor::scalar(0.5F);
  EXPECT_EQ(values<float>(run_op("Clip", {x, low})[0])[0], -2);
  EXPECT_EQ(values<float>(run_op("Clip", {x, Tensor(), high})[0])[2], 0.5F);
  EXPECT_TRUE(std::isnan(values<float>(run_op("Clip", {x, low, high})[0])[3]));
  EXPECT_EQ(values<float>(run_op("Clip", {x, high, low})[0])[0], -2) << "max wins where min > max";
  const Tensor wide = tensor<int64_t>({2}, {int64_t{1} << 62, -7});
  EXPECT_EQ(values<int64_t>(run_op("Clip", {wide, Tensor::scalar(int64_t{0})})[0]),
            (std::vector<int64_t>{int64_t{1} << 62, 0}));
  EXPECT_EQ(error_of("Clip", {x, x}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Clip", {x, Tensor::scalar(int64_t{0})}), ErrorCode::kInvalidArgument);
}

TEST(Unary, InfinityAndNan) {
  const Tensor x = tensor<float>({4}, {kInf, -kInf, NAN, 1});
  EXPECT_EQ(values<uint8_t>(run_op("IsNaN", {x})[0]), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(values<uint8_t>(run_op("IsInf", {x})[0]), (std::vector<uint8_t>{1, 1, 0, 0}));
  EXPECT_EQ(values<uint8_t>(run_op("IsInf", {x}, {{"detect_negative", int64_t{0}}})[0]),
            (std::vector<uint8_t>{1, 0, 0, 0}));
}

TEST(Unary, Float16IsComputedInFloat32) {
  Tensor x(DType::kFloat16, {3});
  x.mutable_data<uint16_t>()[0] = 0x3c00;  // 1
  x.mutable_data<uint16_t>()[1] = 0xc000;  // -2
  x.mutable_data<uint16_t>()[2] = 0x0001;  // 2^-24
  const Tensor y = run_op("Exp", {x})[0];
  EXPECT_EQ(y.dtype(), DType::kFloat16);
  EXPECT_EQ(values<uint16_t>(y), (std::vector<uint16_t>{0x4170, 0x3055, 0x3c00}));  // e, e^-2, 1
}

// Bit patterns of all kinds; odd in number, so that vectors have tails.
Tensor awkward_values() {
  std::mt19937 random(11);
  Floats x = {0.0F, -0.0F, kInf, -kInf, 1, -1, 0x1p-149F, -0x1p-126F, 3.4e38F, -3.4e38F, 88.72284F, -103.97F};
  for (int i = 0; i < 40000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isnan(value)) x.push_back(value);
  }
  for (int i = 0; i < 20001; ++i) x.push_back(static_cast<float>(random()) * 0x1p-28F - 8.0F);
  return tensor<float>({static_cast<int64_t>(x.size())}, x);
}

// NaN results have no defined sign and payload.
void expect_same_numbers(const Floats& got, const Floats& expected) {
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(expected[i])) << "at " << i;
  }
}

TEST(UnaryLoops, SameBitsOnEveryTarget) {
  const Tensor x = awkward_values();
  const Floats in = values<float>(x);
  for (int op = 0; op <= static_cast<int>(UnaryOp::kPow); ++op) {
    const UnaryParams params{0.3F, 1.7F, 0.9F};
    Floats expected(in.size()), got(in.size());
    for (size_t i = 0; i < in.size(); ++i) apply_unary(static_cast<UnaryOp>(op), params, &in[i], &expected[i], 1);
    for_each_target([&](const char* target) {
      SCOPED_TRACE(fmt::format("op {} on {}", op, target));
      apply_unary(static_cast<UnaryOp>(op), params, in.data(), got.data(), static_cast<int64_t>(in.size()));
      expect_same_numbers(got, expected);
      got = in;
      apply_unary(static_cast<UnaryOp>(op), params, got.data(), got.data(), static_cast<int64_t>(in.size()));
      expect_same_numbers(got, expected);
    });
  }
}

TEST(UnaryLoops, AreTheFunctionsOfMath) {
  const Floats in = values<float>(awkward_values());
  const auto expect = [&](UnaryOp op, float (*function)(float)) {
    Floats got(in.size()), expected(in.size());
    apply_unary(op, {}, in.data(), got.data(), static_cast<int64_t>(in.size()));
    for (size_t i = 0; i < in.size(); ++i) expected[i] = function(in[i]);
    expect_same_numbers(got, expected);
  };
  expect(UnaryOp::kExp, [](float x) { return math::exp(x); });
  expect(UnaryOp::kLog, [](float x) { return math::log(x); });
  expect(UnaryOp::kTanh, [](float x) { return math::tanh(x); });
  expect(UnaryOp::kSin, [](float x) { return math::sin(x); });
  expect(UnaryOp::kErf, [](float x) { return math::erf(x); });
}

TEST(Unary, ThreadsDoNotChangeBits) {
  const Tensor x = random_tensor({3, 70001}, 5);
  for (const char* op : {"Exp", "Tanh", "Erf", "Gelu", "Mish", "Sin"}) run_op_everywhere(op, {x});
}

}  // namespace
}  // namespace twofold::testing
