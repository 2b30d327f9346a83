#include <gtest/gtest.h>

#include <algorithm>

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

// Itself without an order.
Tensor transposed(const Tensor& x, const Ints& order) {
  return order.empty() ? x : run_op("Transpose", {x}, {{"perm", order}})[0];
}

Tensor as_doubles(const Tensor& x) {
  Tensor result(DType::kFloat64, x.shape());
  std::ranges::copy(x.data<float>(), result.mutable_data<double>().begin());
  return result;
}

// Against the loop that multiplies doubles.
TEST(MatMul, ReadsStacksInAnyOrder) {
  struct Case {
    Shape a, b;
    Ints order_a = {}, order_b = {}, order_y = {};
  };
  const Ints heads = {0, 2, 1, 3};
  const Case cases[] = {
      {{2, 3, 17, 8}, {2, 3, 8, 33}},
      {{2, 17, 3, 8}, {2, 33, 3, 8}, heads, {0, 2, 3, 1}},     // queries by keys
      {{2, 3, 17, 33}, {2, 33, 3, 8}, {}, heads, heads},       // by values
      {{3, 8, 17}, {3, 33, 8}, {0, 2, 1}, {0, 2, 1}},          // both transposed
      {{17, 3, 8}, {33, 3, 8}, {1, 0, 2}, {1, 2, 0}},          // the stack between rows
      {{2, 3, 17, 8}, {2, 8, 33, 3}, {}, {0, 3, 1, 2}},        // neither rows nor columns lie together
      {{3, 17, 8}, {3, 8, 33}, {}, {}, {0, 2, 1}},             // nor do they in y
      {{2, 1, 17, 8}, {3, 8, 33}},                             // each broadcast
      {{17, 8}, {2, 3, 8, 33}},                                //
      {{2, 3, 17, 1}, {2, 3, 1, 33}},                          // one product per element
      {{3, 1, 17}, {3, 33, 1}, {0, 2, 1}, {0, 2, 1}},          // the same, transposed
      {{3, 1, 8}, {3, 8, 33}},                                 // vectors
      {{3, 17, 8}, {3, 8, 1}},                                 //
      {{8}, {3, 8, 33}},                                       //
      {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 17, 8}, {2, 8, 33}},  // more dimensions than oneDNN has
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(to_string(c.a) + " " + to_string(c.b));
    const Tensor a = random_tensor(c.a, 1), b = random_tensor(c.b, 2);
    const Tensor exact = transposed(
        run_op("MatMul", {as_doubles(transposed(a, c.order_a)), as_doubles(transposed(b, c.order_b))})[0], c.order_y);
    const AttributeList orders = {{"order_a", c.order_a}, {"order_b", c.order_b}, {"order_y", c.order_y}};
    for (const int threads : {1, 3}) {
      const Tensor y = run_op("MatMul", {a, b}, orders, 1, threads)[0];
      ASSERT_EQ(y.shape(), exact.shape());
      for (size_t i = 0; i < y.data<float>().size(); ++i)
        EXPECT_NEAR(y.data<float>()[i], exact.data<double>()[i], 1e-5);
    }
  }
}

// One kernel, and so one set of prepared products: shapes that differ in what is broadcast, or in nothing but order.
TEST(MatMul, TellsShapesApartFromRunToRun) {
  Graph graph;
  const ValueId a = graph.add_value("a"), b = graph.add_value("b"), y = graph.add_value("y");
  graph.inputs = {a, b};
  graph.outputs = {{"y", y}};
  Node node{.name = "", .op_type = "MatMul", .domain = "", .inputs = {a, b}, .outputs = {y}, .attributes = {}};
  node.attributes.set("alpha", 0.5F);
  graph.add_node(std::move(node));
  const Executor executor(graph, {1, {}});
  const std::pair<Shape, Shape> shapes[] = {
      {{2, 5, 7}, {2, 7, 5}}, {{1, 5, 7}, {2, 7, 5}}, {{2, 5, 7}, {1, 7, 5}},
      {{5, 7}, {2, 7, 5}},    {{2, 7, 5}, {2, 5, 7}}, {{2, 5, 7}, {2, 7, 5}},
      {{5, 7}, {7, 5}},       {{1, 5, 7}, {7, 5}},    {{7, 5}, {5, 7}},
  };
  for (const auto& [shape_a, shape_b] : shapes) {
    SCOPED_TRACE(to_string(shape_a) + " " + to_string(shape_b));
    const Tensor left = random_tensor(shape_a, 1), right = random_tensor(shape_b, 2);
    const Tensor got = executor.run({left, right})[0];
    const Tensor exact = run_op("MatMul", {as_doubles(left), as_doubles(right)})[0];
    ASSERT_EQ(got.shape(), exact.shape());
    for (size_t i = 0; i < got.data<float>().size(); ++i)
      EXPECT_NEAR(got.data<float>()[i], 0.5 * exact.data<double>()[i], 1e-5);
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

TEST(Gemm, LargerOnesAddTheirAddendOnce) {
  const Tensor c = random_tensor({20}, 3);
  for (const bool transposed_a : {false, true}) {
    for (const bool transposed_b : {false, true}) {
      const Tensor a = random_tensor(transposed_a ? Shape{30, 40} : Shape{40, 30}, 1);
      const Tensor b = random_tensor(transposed_b ? Shape{20, 30} : Shape{30, 20}, 2);
      const AttributeList attributes = {
          {"alpha", 0.25F}, {"beta", 3.0F}, {"transA", int64_t{transposed_a}}, {"transB", int64_t{transposed_b}}};
      const Tensor exact = run_op("Gemm", {as_doubles(a), as_doubles(b), as_doubles(c)}, attributes)[0];
      const Tensor without_c = run_op("Gemm", {as_doubles(a), as_doubles(b)}, attributes)[0];
      const Tensor y = run_op("Gemm", {a, b, c}, attributes)[0], y_without_c = run_op("Gemm", {a, b}, attributes)[0];
      for (size_t i = 0; i < 40 * 20; ++i) {
        EXPECT_NEAR(y.data<float>()[i], exact.data<double>()[i], 1e-5);
        EXPECT_NEAR(y_without_c.data<float>()[i], without_c.data<double>()[i], 1e-5);
      }
    }
  }
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
