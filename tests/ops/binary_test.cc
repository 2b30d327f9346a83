#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "ops/same_on_every_target.h"

namespace twofold::testing {
namespace {

using Floats = std::vector<float>;

template <typename T>
std::vector<T> run(const char* op, const std::vector<T>& a, const std::vector<T>& b,
                   const AttributeList& attributes = {}) {
  const auto shape = [](const std::vector<T>& v) { return Shape{static_cast<int64_t>(v.size())}; };
  return values<T>(run_op(op, {tensor<T>(shape(a), a), tensor<T>(shape(b), b)}, attributes)[0]);
}

// op on broadcast inputs, index by index.
template <typename Function>
Floats broadcast_loop(const Tensor& a, const Tensor& b, const Shape& out, const Function& function) {
  const auto at = [&](const Tensor& t, const Shape& index) {
    int64_t position = 0;
    const size_t missing = out.size() - t.shape().size();
    for (size_t d = 0; d < t.shape().size(); ++d) {
      position = position * t.shape()[d] + (t.shape()[d] == 1 ? 0 : index[d + missing]);
    }
    return t.data<float>()[static_cast<size_t>(position)];
  };
  Floats result;
  Shape index(out.size(), 0);
  for (int64_t i = 0; i < num_elements(out); ++i) {
    int64_t rest = i;
    for (size_t d = out.size(); d-- > 0; rest /= out[d]) index[d] = rest % out[d];
    result.push_back(function(at(a, index), at(b, index)));
  }
  return result;
}

TEST(Binary, BroadcastsEveryWay) {
  const std::vector<std::tuple<Shape, Shape, Shape>> cases = {{{2, 3, 4, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                                                              {{2, 3, 4, 5}, {}, {2, 3, 4, 5}},
                                                              {{3, 1, 1}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                                                              {{2, 3, 4, 5}, {5}, {2, 3, 4, 5}},
                                                              {{2, 1, 4, 1}, {3, 1, 5}, {2, 3, 4, 5}},
                                                              {{4, 5}, {2, 3, 1, 5}, {2, 3, 4, 5}},
                                                              {{1}, {1, 1}, {1, 1}},
                                                              {{0, 3}, {3}, {0, 3}},
                                                              {{2, 3, 1, 1}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                                                              {{2, 3, 4, 5}, {3, 1}, {}}};
  uint32_t seed = 1;
  for (const auto& [a_shape, b_shape, out] : cases) {
    const Tensor a = random_tensor(a_shape, seed++), b = random_tensor(b_shape, seed++);
    if (out.empty()) {
      EXPECT_EQ(error_of("Sub", {a, b}), ErrorCode::kInvalidModel);
      continue;
    }
    const Tensor y = run_op_everywhere("Sub", {a, b})[0];
    EXPECT_EQ(y.shape(), out);
    EXPECT_EQ(values<float>(y), broadcast_loop(a, b, out, [](float p, float q) { return p - q; }));
    if (out.size() != 4) continue;
    // Whatever the layouts of the inputs, the numbers stay.
    if (a.rank() == 4) expect_same(run_op("Sub", {channels_last(a), b})[0], y);
    if (b.rank() == 4) expect_same(run_op("Sub", {a, channels_last(b)})[0], y);
    if (a.rank() == 4 && b.rank() == 4) expect_same(run_op("Sub", {channels_last(a), channels_last(b)})[0], y);
  }
}

TEST(Binary, LowerRankChannelsLastKeepsItsMeaning) {
  const Tensor a = random_tensor({2, 3, 4, 5}, 1), b = random_tensor({3, 4, 5}, 2);
  expect_same(run_op("Mul", {a, channels_last(b)})[0], run_op("Mul", {a, b})[0]);
  expect_same(run_op("Mul", {channels_last(a), channels_last(b)})[0], run_op("Mul", {a, b})[0]);
}

TEST(Binary, IntegersNeverTrap) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min(), kMax = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(run<int32_t>("Add", {kMax}, {1}), (std::vector<int32_t>{kMin}));
  EXPECT_EQ(run<int32_t>("Div", {7, -7, kMin}, {2, 2, -1}), (std::vector<int32_t>{3, -3, kMin}));
  EXPECT_EQ(run<int32_t>("Mod", {7, -7, 7, kMin}, {3, 3, -3, -1}), (std::vector<int32_t>{1, 2, -2, 0}));
  EXPECT_EQ(run<int32_t>("Mod", {7, -7}, {3, 3}, {{"fmod", int64_t{1}}}), (std::vector<int32_t>{1, -1}));
  EXPECT_EQ(run<uint16_t>("Mul", {65535}, {65535}), (std::vector<uint16_t>{1}));
  const Tensor one = tensor<int64_t>({1}, {1}), zero = tensor<int64_t>({1}, {0});
  EXPECT_EQ(error_of("Div", {one, zero}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Mod", {one, zero}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Add", {one, tensor<float>({1}, {1})}), ErrorCode::kInvalidModel);
}

TEST(Binary, ModOfFloats) {
  EXPECT_EQ(run<float>("Mod", {-4.5F, 4.5F, 5}, {2, -2, 3}), (Floats{1.5F, -1.5F, 2}));
  EXPECT_EQ(run<float>("Mod", {-4.5F, 4.5F, 5}, {2, -2, 3}, {{"fmod", int64_t{1}}}), (Floats{-0.5F, 0.5F, 2}));
}

TEST(Binary, ShiftsPastTheEnd) {
  const AttributeList left = {{"direction", std::string("LEFT")}}, right = {{"direction", std::string("RIGHT")}};
  EXPECT_EQ(run<uint8_t>("BitShift", {0x81, 1, 1}, {1, 7, 8}, left), (std::vector<uint8_t>{2, 0x80, 0}));
  EXPECT_EQ(run<uint8_t>("BitShift", {0x81, 1, 0xff}, {1, 7, 8}, right), (std::vector<uint8_t>{0x40, 0, 0}));
  EXPECT_EQ(run<int8_t>("BitShift", {-8, -8, 4}, {1, 127, -1}, right), (std::vector<int8_t>{-4, -1, 0}));
}

TEST(Binary, MaxAndMinKeepNan) {
  for (const char* op : {"Max", "Min"}) {
    const Floats y = run<float>(op, {NAN, 1, 2}, {1, NAN, 3});
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1])) << op;
  }
  const Tensor x = tensor<float>({2}, {1, 5});
  EXPECT_EQ(values<float>(run_op("Mean", {x, Tensor::scalar(3.0F), x})[0]), (Floats{5.0F / 3, 13.0F / 3}));
  EXPECT_EQ(values<float>(run_op("Sum", {x})[0]), (Floats{1, 5}));
}

TEST(Binary, PReluSlopePerChannel) {
  const Tensor x = tensor<float>({1, 2, 2}, {-1, 2, -3, 4}), slope = tensor<float>({2, 1}, {0.5F, 0.25F});
  EXPECT_EQ(values<float>(run_op("PRelu", {x, slope})[0]), (Floats{-0.5F, 2, -0.75F, 4}));
  EXPECT_EQ(error_of("PRelu", {slope, x}), ErrorCode::kInvalidModel);
}

TEST(Pow, SpecialCasesAndTypes) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Floats x = {2, -2, -2, 0, -0.0F, 0, 1, -1, kInf, -kInf, 0.5F, 3};
  const Floats y = {10, 3, 4, 0, -3, -2, kInf, kInf, -1, 3, kInf, 4};
  EXPECT_EQ(run<float>("Pow", x, y), (Floats{1024, -8, 16, 1, -kInf, kInf, 1, 1, 0, -kInf, 0, 81}));
  EXPECT_TRUE(std::isnan(run<float>("Pow", {-8}, {1.0F / 3})[0]));
  EXPECT_EQ(run<int32_t>("Pow", {2, -3, 1, -1}, {5, 3, -7, -3}), (std::vector<int32_t>{32, -27, 1, -1}));
  EXPECT_EQ(error_of("Pow", {tensor<int64_t>({1}, {0}), tensor<int64_t>({1}, {-1})}), ErrorCode::kInvalidArgument);
  // A scalar exponent takes another path to the same bits.
  const Tensor base = random_tensor({1001}, 3);
  for (float exponent : {2.0F, 3.0F, 0.37F}) {
    const Tensor spread = tensor<float>({1001}, Floats(1001, exponent));
    expect_same(run_op_everywhere("Pow", {run_op("Abs", {base})[0], Tensor::scalar(exponent)})[0],
                run_op_everywhere("Pow", {run_op("Abs", {base})[0], spread})[0]);
  }
}

TEST(Compare, ValuesAndNan) {
  const Tensor a = tensor<float>({4}, {1, 2, NAN, -0.0F}), b = tensor<float>({4}, {2, 2, NAN, 0.0F});
  using Bytes = std::vector<uint8_t>;
  EXPECT_EQ(values<uint8_t>(run_op("Less", {a, b})[0]), (Bytes{1, 0, 0, 0}));
  EXPECT_EQ(values<uint8_t>(run_op("LessOrEqual", {a, b})[0]), (Bytes{1, 1, 0, 1}));
  EXPECT_EQ(values<uint8_t>(run_op("Equal", {a, b})[0]), (Bytes{0, 1, 0, 1}));
  EXPECT_EQ(run_op("Greater", {a, b})[0].dtype(), DType::kBool);
  EXPECT_EQ(error_of("And", {a, b}), ErrorCode::kInvalidModel);
}

TEST(Where, BroadcastsAllThree) {
  const Tensor condition = run_op("Less", {tensor<float>({2, 1}, {0, 2}), Tensor::scalar(1.0F)})[0];
  const Tensor x = tensor<int64_t>({3}, {1, 2, 3});
  EXPECT_EQ(values<int64_t>(run_op("Where", {condition, x, Tensor::scalar(int64_t{-1})})[0]),
            (std::vector<int64_t>{1, 2, 3, -1, -1, -1}));
  EXPECT_EQ(error_of("Where", {x, x, x}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
