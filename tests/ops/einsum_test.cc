#include "ops/run_op.h"

namespace twofold::testing {
namespace {

Tensor einsum(const std::string& equation, const std::vector<Tensor>& inputs, int threads = 1) {
  return run_op("Einsum", inputs, {{"equation", equation}}, 1, threads)[0];
}

TEST(Einsum, LiteralEquations) {
  const Tensor a = tensor<float>({2, 2}, {1, 2, 3, 4}), b = tensor<float>({2, 2}, {5, 6, 7, 8});
  EXPECT_EQ(values<float>(einsum("ij,jk->ik", {a, b})), (std::vector<float>{19, 22, 43, 50}));
  EXPECT_EQ(values<float>(einsum("ij,jk", {a, b})), (std::vector<float>{19, 22, 43, 50}));
  EXPECT_EQ(values<float>(einsum("ij->ji", {a})), (std::vector<float>{1, 3, 2, 4}));
  EXPECT_EQ(values<float>(einsum("ii", {a})), (std::vector<float>{5}));
  EXPECT_EQ(values<float>(einsum("ii->i", {a})), (std::vector<float>{1, 4}));
  EXPECT_EQ(values<float>(einsum("ij->", {a})), (std::vector<float>{10}));
  EXPECT_EQ(values<float>(einsum(" i j , i j -> i ", {a, b})), (std::vector<float>{17, 53}));
  EXPECT_EQ(values<float>(einsum("i...,k...->ik", {a, b})), (std::vector<float>{17, 23, 39, 53}));
  EXPECT_EQ(
      values<int64_t>(einsum("i,j,k->k", {counting<int64_t>({3}), counting<int64_t>({3}), counting<int64_t>({2})})),
      (std::vector<int64_t>{0, 9}));
}

TEST(Einsum, BatchesAgreeWithALoop) {
  const Tensor a = random_tensor({2, 5, 3, 7}, 1), b = random_tensor({2, 6, 3, 7}, 2);
  const Tensor out = einsum("bqhd,bkhd->bhqk", {a, b});
  ASSERT_EQ(out.shape(), (Shape{2, 3, 5, 6}));
  size_t at = 0;
  for (size_t n = 0; n < 2; ++n) {
    for (size_t h = 0; h < 3; ++h) {
      for (size_t q = 0; q < 5; ++q) {
        for (size_t k = 0; k < 6; ++k) {
          float sum = 0;
          for (size_t d = 0; d < 7; ++d) {
            sum += a.data<float>()[((n * 5 + q) * 3 + h) * 7 + d] * b.data<float>()[((n * 6 + k) * 3 + h) * 7 + d];
          }
          EXPECT_EQ(out.data<float>()[at++], sum);
        }
      }
    }
  }
  const Tensor wide = random_tensor({33, 70}, 3), tall = random_tensor({70, 45}, 4);
  expect_same(einsum("ij,jk", {wide, tall}, 2), einsum("ij,jk", {wide, tall}, 1));
}

TEST(Einsum, RejectsBadEquations) {
  const Tensor a = counting<float>({2, 3});
  for (const char* equation : {"ijk", "ij,jk", "i1", "i..j", "ij->k", "ij->ii", "...i...", "", "ij->i->j"}) {
    EXPECT_EQ(error_of("Einsum", {a}, {{"equation", std::string(equation)}}), ErrorCode::kInvalidModel) << equation;
  }
  EXPECT_EQ(error_of("Einsum", {a, a}, {{"equation", std::string("ij,jk")}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Einsum", {a, counting<double>({3})}, {{"equation", std::string("ij,j")}}),
            ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
