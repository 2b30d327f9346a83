#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

using Ints = std::vector<int64_t>;

TEST(MatMul, VectorsAndMatrices) {
  const Tensor matrix = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor three = tensor<float>({3}, {1, 0, -1}), two = tensor<float>({2}, {1, 2});
  EXPECT_EQ(values<float>(run_op("MatMul", {matrix, three})[0]), (std::vector<float>{-2, -2}));
  EXPECT_EQ(values<float>(run_op("MatMul", {two, matrix})[0]), (std::vector<float>{9, 12, 15}));
  const Tensor dot = run_op("MatMul", {three, three})[0];
  EXPECT_EQ(dot.shape(), Shape{});
  EXPECT_EQ(values<float>(dot), (std::vector<float>{2}));
}

TEST(MatMul, BatchesBroadcast) {
  const Tensor a = random_tensor({2, 1, 3, 4}, 1), b = random_tensor({5, 4, 2}, 2);
  const Tensor y = run_op("MatMul", {a, b})[0];
  ASSERT_EQ(y.shape(), (Shape{2, 5, 3, 2}));
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 5; ++j)
      for (size_t r = 0; r < 3; ++r)
        for (size_t c = 0; c < 2; ++c) {
          double sum = 0;
          for (size_t k = 0; k < 4; ++k) {
            sum += static_cast<double>(a.data<float>()[(i * 3 + r) * 4 + k]) * b.data<float>()[(j * 4 + k) * 2 + c];
          }
          EXPECT_NEAR(y.data<float>()[((i * 5 + j) * 3 + r) * 2 + c], sum, 1e-5);
        }
}

TEST(MatMul, IntegersWrapAndDoublesAreExact) {
  const Tensor big = tensor<int32_t>({1, 2}, {1 << 30, 3});
  EXPECT_EQ(values<int32_t>(run_op("MatMul", {big, tensor<int32_t>({2, 1}, {2, 5})})[0]),
            (std::vector<int32_t>{INT32_MIN + 15}));
  EXPECT_EQ(values<double>(run_op("MatMul", {tensor<double>({1, 2}, {0.1, 1e9}), tensor<double>({2}, {1, 1})})[0]),
            (std::vector<double>{1e9 + 0.1}));
  EXPECT_EQ(
      values<int64_t>(run_op("MatMul", {tensor<int64_t>({1}, {int64_t{1} << 40}), tensor<int64_t>({1}, {-4})})[0]),
      (std::vector<int64_t>{-(int64_t{1} << 42)}));
}

TEST(MatMul, NothingToSumGivesZero) {
  const Tensor y = run_op("MatMul", {Tensor(DType::kFloat32, {2, 0}), Tensor(DType::kFloat32, {0, 3})})[0];
  EXPECT_EQ(values<float>(y), std::vector<float>(6, 0.0F));
  EXPECT_EQ(run_op("MatMul", {Tensor(DType::kFloat32, {0, 2}), random_tensor({2, 3}, 1)})[0].shape(), (Shape{0, 3}));
}

// A graph whose second input is constant: the packed path.
TEST(MatMul, ConstantMatrixIsPackedForEveryHeight) {
  Graph graph;
  const ValueId a = graph.add_value("a"), y = graph.add_value("y");
  const Tensor w = random_tensor({7, 5}, 3);
  const ValueId b = graph.add_constant("b", w);
  graph.inputs = {a};
  graph.outputs = {{"y", y}};
  graph.add_node({.name = "", .op_type = "MatMul", .domain = "", .inputs = {a, b}, .outputs = {y}, .attributes = {}});
  const Executor executor(graph, {1, {}});
  for (const Shape& shape : {Shape{2, 3, 7}, Shape{1, 7}, Shape{7}, Shape{0, 7}, Shape{4, 7}}) {
    const Tensor x = random_tensor(shape, 4);
    const Tensor got = executor.run({x})[0], expected = run_op("MatMul", {x, w})[0];
    ASSERT_EQ(got.shape(), expected.shape());
    for (size_t i = 0; i < got.data<float>().size(); ++i) {
      EXPECT_NEAR(got.data<float>()[i], expected.data<float>()[i], 1e-5);
    }
  }
}

TEST(MatMul, RefusesWhatDoesNotFit) {
  const Tensor a = random_tensor({2, 3}, 1);
  EXPECT_EQ(error_of("MatMul", {a, a}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("MatMul", {a, Tensor::scalar(1.0F)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("MatMul", {a, tensor<double>({3}, {1, 2, 3})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("MatMul", {random_tensor({2, 2, 3}, 1), random_tensor({3, 3, 2}, 1)}), ErrorCode::kInvalidModel);
  const Tensor bytes(DType::kInt8, {3, 3});
  EXPECT_EQ(error_of("MatMul", {bytes, bytes}), ErrorCode::kUnsupported);
}

TEST(Gemm, ScalesTransposesAndBroadcasts) {
  const Tensor a = tensor<float>({2, 2}, {1, 2, 3, 4}), b = tensor<float>({2, 2}, {5, 6, 7, 8});
  const AttributeList scaled = {{"alpha", 0.5F}, {"beta", 2.0F}};
  EXPECT_EQ(values<float>(run_op("Gemm", {a, b})[0]), (std::vector<float>{19, 22, 43, 50}));
  EXPECT_EQ(values<float>(run_op("Gemm", {a, b, tensor<float>({2, 1}, {1, -1})}, scaled)[0]),
            (std::vector<float>{11.5, 13, 19.5, 23}));
  EXPECT_EQ(values<float>(run_op("Gemm", {a, b, tensor<float>({2}, {10, 20})}, {{"transA", int64_t{1}}})[0]),
            (std::vector<float>{36, 50, 48, 64}));
  EXPECT_EQ(values<float>(run_op("Gemm", {a, b, Tensor::scalar(1.0F)}, {{"transB", int64_t{1}}})[0]),
            (std::vector<float>{18, 24, 40, 54}));
  EXPECT_EQ(values<int32_t>(run_op("Gemm", {tensor<int32_t>({1, 2}, {1, 2}), tensor<int32_t>({2, 1}, {3, 4}),
                                            tensor<int32_t>({1}, {100})})[0]),
            (std::vector<int32_t>{111}));
}

TEST(Gemm, ConstantOperandsHoldAlphaAndBeta) {
  Graph graph;
  const ValueId a = graph.add_value("a"), y = graph.add_value("y");
  const ValueId b = graph.add_constant("b", tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const ValueId c = graph.add_constant("c", tensor<float>({1, 2}, {10, 20}));
  graph.inputs = {a};
  graph.outputs = {{"y", y}};
  Node node{.name = "", .op_type = "Gemm", .domain = "", .inputs = {a, b, c}, .outputs = {y}, .attributes = {}};
  node.attributes.set("transB", int64_t{1});
  node.attributes.set("alpha", 2.0F);
  node.attributes.set("beta", 0.5F);
  graph.add_node(std::move(node));
  EXPECT_EQ(values<float>(Executor(graph).run({tensor<float>({1, 3}, {1, 0, -1})})[0]), (std::vector<float>{1, 6}));
}

TEST(Gemm, RefusesWhatDoesNotFit) {
  const Tensor a = random_tensor({2, 3}, 1), b = random_tensor({3, 4}, 1);
  EXPECT_EQ(error_of("Gemm", {a, a}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Gemm", {a, b, random_tensor({3}, 1)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Gemm", {a, b, random_tensor({1, 2, 4}, 1)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Gemm", {random_tensor({3}, 1), b}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
