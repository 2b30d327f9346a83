#include "calibrate/scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "passes/graph_builder.h"

namespace twofold {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return Tensor::from<float>(shape, values); }

std::vector<float> floats_of(const Tensor& tensor) {
  const std::span<const float> x = tensor.data<float>();
  return {x.begin(), x.end()};
}

TEST(Scores, AreThoseThatSoftmaxAloneReads) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), y = b.input("y", {2, 3}), z = b.input("z", {2, 3});
  b.node("s", "Softmax", {x}, {{"axis", int64_t{1}}});
  b.node("shape", "Shape", {x});
  b.node("t", "Softmax", {y});
  b.node("u", "Relu", {y});
  b.node("v", "Softmax", {z});
  b.node("w", "Softmax", {z}, {{"axis", int64_t{0}}});
  EXPECT_EQ(scores_axis(b.graph, x), 1);
  EXPECT_EQ(scores_axis(b.graph, y), std::nullopt) << "a Relu reads it too";
  EXPECT_EQ(scores_axis(b.graph, z), std::nullopt) << "rows of two axes";
  b.output(x);
  EXPECT_EQ(scores_axis(b.graph, x), std::nullopt);
}

TEST(Scores, FarBelowTheLargestAreRaised) {
  const float depth = 11.0903549F;  // 16 ln 2
  const Tensor rows = tensor({3, 3}, {1, -10, -1e4F, kLowest, 5, -INFINITY, kLowest, kLowest, -INFINITY});
  EXPECT_EQ(floats_of(without_masked_scores(rows, -1)),
            (std::vector<float>{1, -10, 1 - depth, 5 - depth, 5, 5 - depth, 0, 0, 0}));
  const Tensor columns = tensor({2, 2}, {1, kLowest, -100, 3});
  EXPECT_EQ(floats_of(without_masked_scores(columns, 0)), (std::vector<float>{1, 3 - depth, 1 - depth, 3}));
  const std::vector<float> kept = floats_of(without_masked_scores(tensor({1, 2}, {NAN, -1e4F}), 1));
  EXPECT_TRUE(std::isnan(kept[0])) << "NaN stays NaN";
}

TEST(Scores, RowsAreTheSameInBothLayouts) {
  std::mt19937 random(1);
  const Shape shape = {2, 3, 2, 2};
  Tensor plain(DType::kFloat32, shape), last(DType::kFloat32, shape, Layout::kChannelsLast);
  const auto at_last = [](size_t n, size_t c, size_t i) { return (n * 4 + i) * 3 + c; };
  for (size_t n = 0; n < 2; ++n) {
    for (size_t c = 0; c < 3; ++c) {
      for (size_t i = 0; i < 4; ++i) {
        const auto value = static_cast<float>(random() % 101) - 50;
        plain.mutable_data<float>()[(n * 3 + c) * 4 + i] = value;
        last.mutable_data<float>()[at_last(n, c, i)] = value;
      }
    }
  }
  for (int axis = 0; axis < 4; ++axis) {
    const std::vector<float> want = floats_of(without_masked_scores(plain, axis));
    const std::vector<float> got = floats_of(without_masked_scores(last, axis));
    for (size_t n = 0; n < 2; ++n) {
      for (size_t c = 0; c < 3; ++c) {
        for (size_t i = 0; i < 4; ++i) EXPECT_EQ(got[at_last(n, c, i)], want[(n * 3 + c) * 4 + i]) << axis;
      }
    }
  }
}

}  // namespace
}  // namespace twofold
