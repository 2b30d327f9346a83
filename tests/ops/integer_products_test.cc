// MatMulInteger and ConvInteger against loops over int64.
#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

template <typename T>
Tensor random_bytes(Shape shape, uint32_t seed) {
  std::mt19937 random(seed);
  Tensor result(kDTypeOf<T>, std::move(shape));
  for (T& value : result.mutable_data<T>()) value = static_cast<T>(random());
  return result;
}

TEST(MatMulInteger, LiteralWithBothZeroPoints) {
  // Rows of A - 12 times columns of B: ONNX's own example.
  const Tensor a = tensor<uint8_t>({4, 3}, {11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0});
  const Tensor b = tensor<uint8_t>({3, 2}, {1, 4, 2, 5, 3, 6});
  const Tensor y = run_op("MatMulInteger", {a, b, tensor<uint8_t>({1}, {12}), tensor<uint8_t>({1}, {0})})[0];
  EXPECT_EQ(values<int32_t>(y), (std::vector<int32_t>{-38, -83, -44, -98, -50, -113, -56, -128}));
}

// [2,3,5] by [2,5,4], with the zero points of A by row and of B by column.
template <typename A, typename B>
void check_matmul(const Tensor& a_zeros, const Tensor& b_zeros) {
  const Tensor a = random_bytes<A>({2, 3, 5}, 1), b = random_bytes<B>({2, 5, 4}, 2);
  const auto zero = [](const Tensor& zeros, size_t one, size_t all) {
    if (!zeros.defined()) return 0;
    const auto at = static_cast<size_t>(zeros.size()) == 1 ? 0 : zeros.rank() == 1 ? one : all;
    return zeros.dtype() == DType::kInt8 ? int{zeros.data<int8_t>()[at]} : int{zeros.data<uint8_t>()[at]};
  };
  std::vector<int32_t> expected;
  for (size_t s = 0; s < 2; ++s) {
    for (size_t r = 0; r < 3; ++r) {
      for (size_t c = 0; c < 4; ++c) {
        int64_t sum = 0;
        for (size_t k = 0; k < 5; ++k) {
          sum += (a.data<A>()[(s * 3 + r) * 5 + k] - zero(a_zeros, r, s * 3 + r)) *
                 (b.data<B>()[(s * 5 + k) * 4 + c] - zero(b_zeros, c, s * 4 + c));
        }
        expected.push_back(static_cast<int32_t>(sum));
      }
    }
  }
  EXPECT_EQ(values<int32_t>(run_op("MatMulInteger", {a, b, a_zeros, b_zeros})[0]), expected);
  // The same with B and its zero points as constants, which are packed ahead.
  Graph graph;
  const ValueId x = graph.add_value("a"), w = graph.add_constant("b", b), y = graph.add_value("y");
  Node node{.name = "n", .op_type = "MatMulInteger", .domain = "", .inputs = {x, w, kNone, kNone}, .outputs = {y}};
  if (a_zeros.defined()) node.inputs[2] = graph.add_constant("az", a_zeros);
  if (b_zeros.defined()) node.inputs[3] = graph.add_constant("bz", b_zeros);
  graph.add_node(std::move(node));
  graph.inputs = {x};
  graph.outputs = {{"y", y}};
  EXPECT_EQ(values<int32_t>(Executor(graph).run({a})[0]), expected);
}

TEST(MatMulInteger, StacksWithAnyZeroPointsAreExact) {
  const Tensor none;
  check_matmul<uint8_t, int8_t>(none, none);
  check_matmul<uint8_t, uint8_t>(tensor<uint8_t>({}, {200}), tensor<uint8_t>({}, {7}));
  check_matmul<int8_t, int8_t>(tensor<int8_t>({}, {-128}), tensor<int8_t>({4}, {1, -2, 127, -128}));
  check_matmul<uint8_t, int8_t>(tensor<uint8_t>({3}, {0, 128, 255}), tensor<int8_t>({4}, {0, 0, 0, 9}));
  check_matmul<uint8_t, uint8_t>(random_bytes<uint8_t>({2, 3, 1}, 3), random_bytes<uint8_t>({2, 1, 4}, 4));
}

TEST(MatMulInteger, VectorsAndEmptyMatrices) {
  const Tensor a = tensor<uint8_t>({3}, {1, 2, 3}), b = tensor<int8_t>({3}, {4, -5, 6});
  const Tensor dot = run_op("MatMulInteger", {a, b})[0];
  EXPECT_EQ(dot.shape(), Shape{});
  EXPECT_EQ(values<int32_t>(dot), std::vector<int32_t>{12});
  const Tensor nothing = run_op("MatMulInteger", {Tensor(DType::kUInt8, {2, 0}), Tensor(DType::kInt8, {0, 2})})[0];
  EXPECT_EQ(values<int32_t>(nothing), std::vector<int32_t>(4, 0));
}

TEST(MatMulInteger, SaysWhatDoesNotFit) {
  const Tensor a = random_bytes<uint8_t>({2, 3}, 1), b = random_bytes<int8_t>({3, 4}, 2);
  EXPECT_THROW(run_op("MatMulInteger", {a, b, tensor<int8_t>({}, {1})}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {a, b, tensor<uint8_t>({3}, {1, 2, 3})}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {a, b, Tensor(), tensor<int8_t>({3}, {1, 2, 3})}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {random_tensor({2, 3}, 1), b}), Error);
}

TEST(ConvInteger, PadsWithTheZeroPointOfX) {
  // ONNX's own example: x - 1 is 1..9, a window of ones.
  const Tensor x = tensor<uint8_t>({1, 1, 3, 3}, {2, 3, 4, 5, 6, 7, 8, 9, 10});
  const Tensor w = tensor<uint8_t>({1, 1, 2, 2}, {1, 1, 1, 1});
  const Tensor y =
      run_op("ConvInteger", {x, w, tensor<uint8_t>({}, {1})}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(values<int32_t>(y), (std::vector<int32_t>{1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9}));
}

TEST(ConvInteger, GroupsStridesAndAZeroPointPerChannelAreExact) {
  const Tensor x = random_bytes<int8_t>({2, 4, 7, 6}, 1), w = random_bytes<uint8_t>({6, 2, 3, 2}, 2);
  const Tensor x_zero = tensor<int8_t>({}, {-100}), w_zeros = tensor<uint8_t>({6}, {0, 1, 100, 200, 254, 255});
  const Tensor y = run_op("ConvInteger", {x, w, x_zero, w_zeros},
                          {{"group", int64_t{2}},
                           {"strides", std::vector<int64_t>{2, 1}},
                           {"dilations", std::vector<int64_t>{1, 2}},
                           {"pads", std::vector<int64_t>{1, 0, 0, 2}}})[0];
  ASSERT_EQ(y.shape(), (Shape{2, 6, 3, 6}));
  std::vector<int32_t> expected;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t m = 0; m < 6; ++m)
      for (int64_t i = 0; i < 3; ++i)
        for (int64_t j = 0; j < 6; ++j) {
          int32_t sum = 0;
          for (int64_t c = 0; c < 2; ++c)
            for (int64_t r = 0; r < 3; ++r)
              for (int64_t s = 0; s < 2; ++s) {
                const int64_t row = i * 2 + r - 1, column = j + s * 2;
                if (row < 0 || row >= 7 || column >= 6) continue;
                const int64_t channel = m / 3 * 2 + c;
                sum += (x.data<int8_t>()[static_cast<size_t>(((n * 4 + channel) * 7 + row) * 6 + column)] + 100) *
                       (w.data<uint8_t>()[static_cast<size_t>(((m * 2 + c) * 3 + r) * 2 + s)] -
                        w_zeros.data<uint8_t>()[static_cast<size_t>(m)]);
              }
          expected.push_back(sum);
        }
  EXPECT_EQ(values<int32_t>(y), expected);
}

}  // namespace
}  // namespace twofold::testing
