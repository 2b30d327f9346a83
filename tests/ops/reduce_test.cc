#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/same_on_every_target.h"

namespace twofold::testing {
namespace {

using Floats = std::vector<float>;

constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Reduce, LiteralsOverEachKindOfAxes) {
  const Tensor x = counting<float>({2, 3, 2});
  EXPECT_EQ(values<float>(run_op("ReduceSum", {x, ints({1})})[0]), (Floats{6, 9, 24, 27}));
  EXPECT_EQ(values<float>(run_op("ReduceMean", {x, ints({-1})})[0]), (Floats{0.5F, 2.5F, 4.5F, 6.5F, 8.5F, 10.5F}));
  EXPECT_EQ(values<float>(run_op("ReduceMax", {x, ints({0, 2})})[0]), (Floats{7, 9, 11}));
  EXPECT_EQ(values<float>(run_op("ReduceSumSquare", {x, ints({0, 1})})[0]), (Floats{220, 286}));
  const Tensor all = run_op("ReduceProd", {x}, {{"keepdims", int64_t{0}}})[0];
  EXPECT_EQ(all.shape(), Shape{});
  EXPECT_EQ(values<float>(all), Floats{0});
  EXPECT_EQ(run_op("ReduceMin", {x, ints({1})})[0].shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(values<float>(run_op("ReduceSum", {x, ints({})}, {{"noop_with_empty_axes", int64_t{1}}})[0]),
            values<float>(x));
  EXPECT_EQ(error_of("ReduceSum", {x, ints({3})}), ErrorCode::kInvalidModel);
}

TEST(Reduce, NothingToReduceGivesTheNeutralElement) {
  const Tensor none(DType::kFloat32, {2, 0});
  EXPECT_EQ(values<float>(run_op("ReduceSum", {none, ints({1})})[0]), (Floats{0, 0}));
  EXPECT_EQ(values<float>(run_op("ReduceProd", {none, ints({1})})[0]), (Floats{1, 1}));
  EXPECT_EQ(values<float>(run_op("ReduceMax", {none, ints({1})})[0]), (Floats{-kInf, -kInf}));
  EXPECT_EQ(values<float>(run_op("ReduceMin", {none, ints({1})})[0]), (Floats{kInf, kInf}));
  EXPECT_EQ(values<float>(run_op("ReduceLogSumExp", {none, ints({1})})[0]), (Floats{-kInf, -kInf}));
}

TEST(Reduce, LogSumExpOfLargeAndInfiniteNumbers) {
  const Tensor x = tensor<float>({3, 2}, {1000, 1000, -kInf, -kInf, kInf, 0});
  const Floats y = values<float>(run_op("ReduceLogSumExp", {x, ints({1})})[0]);
  EXPECT_FLOAT_EQ(y[0], 1000.6931F);
  EXPECT_EQ(y[1], -kInf);
  EXPECT_EQ(y[2], kInf);
}

// Sums in double, so 1e8 + 1 - 1e8 is not lost.
TEST(Reduce, SumsInDouble) {
  EXPECT_EQ(values<float>(run_op("ReduceSum", {tensor<float>({3}, {1e8F, 1, -1e8F})})[0]), Floats{1});
  EXPECT_EQ(values<float>(run_op("ReduceSum", {tensor<float>({3, 2}, {1e8F, 1, 1, 1, -1e8F, 1}), ints({0})})[0]),
            (Floats{1, 3}));
}

TEST(Reduce, IntegersKeepTheirType) {
  const Tensor x = tensor<int32_t>({4}, {-3, 4, 0, 0});
  EXPECT_EQ(values<int32_t>(run_op("ReduceL2", {x})[0]), (std::vector<int32_t>{5}));
  EXPECT_EQ(values<int32_t>(run_op("ReduceL1", {x})[0]), (std::vector<int32_t>{7}));
  EXPECT_EQ(values<int32_t>(run_op("ReduceMean", {tensor<int32_t>({2}, {-3, 0})})[0]), (std::vector<int32_t>{-1}));
  EXPECT_EQ(values<int8_t>(run_op("ReduceMax", {tensor<int8_t>({2}, {-128, -5})})[0]), (std::vector<int8_t>{-5}));
  EXPECT_EQ(error_of("ReduceMean", {Tensor(DType::kInt32, {0})}), ErrorCode::kInvalidArgument);
}

TEST(Reduce, AgreesWithALoopAndIsTheSameEverywhere) {
  const Tensor x = random_tensor({5, 37, 301}, 9);
  const auto in = x.data<float>();
  for (int64_t axis = 0; axis < 3; ++axis) {
    const Tensor sum = run_op_everywhere("ReduceSum", {x, ints({axis})}, {{"keepdims", int64_t{0}}})[0];
    std::vector<double> expected(static_cast<size_t>(sum.size()));
    for (int64_t i = 0; i < x.size(); ++i) {
      const int64_t c = i % 301, b = i / 301 % 37, a = i / 301 / 37;
      expected[static_cast<size_t>(axis == 0   ? b * 301 + c
                                   : axis == 1 ? a * 301 + c
                                               : a * 37 + b)] += in[static_cast<size_t>(i)];
    }
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values<float>(sum)[i], expected[i], 1e-5);
    for (const char* op : {"ReduceMean", "ReduceMax", "ReduceLogSumExp", "ReduceL2", "ReduceProd"}) {
      run_op_everywhere(op, {x, ints({axis})});
    }
  }
  run_op_everywhere("ReduceMean", {x, ints({0, 2})});
}

TEST(ArgMax, FirstOrLastOfEqualOnes) {
  const Tensor x = tensor<float>({2, 3}, {1, 5, 5, 7, 7, 0});
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{1}}})[0]), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{1}}, {"select_last_index", int64_t{1}}})[0]),
            (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(values<int64_t>(run_op("ArgMin", {x}, {{"keepdims", int64_t{0}}})[0]), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(error_of("ArgMax", {Tensor(DType::kFloat32, {2, 0})}, {{"axis", int64_t{1}}}), ErrorCode::kInvalidArgument);
}

TEST(CumSum, ExclusiveAndReverse) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), axis = Tensor::scalar(int64_t{1});
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis})[0]), (Floats{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis}, {{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}})[0]),
            (Floats{5, 3, 0, 11, 6, 0}));
}

TEST(Softmax, EveryAxisSumsToOneAndIsTheSameEverywhere) {
  const Tensor x = random_tensor({3, 29, 301}, 4);
  for (int64_t axis = 0; axis < 3; ++axis) {
    const Tensor y = run_op_everywhere("Softmax", {x}, {{"axis", axis}})[0];
    for (float sum : values<float>(run_op("ReduceSum", {y, ints({axis})})[0])) EXPECT_NEAR(sum, 1, 1e-6);
    const Tensor log = run_op("Log", {y})[0], direct = run_op_everywhere("LogSoftmax", {x}, {{"axis", axis}})[0];
    for (size_t i = 0; i < 1000; ++i) EXPECT_NEAR(values<float>(log)[i], values<float>(direct)[i], 2e-6);
  }
}

TEST(Softmax, LargeAndMaskedNumbers) {
  const Tensor x = tensor<float>({1, 3}, {1000, -kInf, 1000});
  EXPECT_EQ(values<float>(run_op("Softmax", {x})[0]), (Floats{0.5F, 0, 0.5F}));
  EXPECT_EQ(values<float>(run_op("Softmax", {x}, {{"axis", int64_t{0}}})[0])[0], 1);
  EXPECT_EQ(values<float>(run_op("Hardmax", {x})[0]), (Floats{1, 0, 0}));
  const Tensor columns = tensor<float>({3, 2}, {1, 4, 2, 4, 2, 0});
  EXPECT_EQ(values<float>(run_op("Hardmax", {columns}, {{"axis", int64_t{0}}})[0]), (Floats{0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(error_of("Softmax", {x}, {{"axis", int64_t{2}}}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
