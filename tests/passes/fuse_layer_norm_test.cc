#include "passes/fuse_layer_norm.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

struct LayerNorm {
  GraphBuilder b;
  ValueId x = kNone, centered = kNone;

  // The pattern of [2,3,4] over `axis`.
  explicit LayerNorm(int64_t axis = -1, bool square_by_mul = false, bool twice = false) {
    x = b.input("x", {2, 3, 4});
    const ValueId mean = b.node("mean", "ReduceMean", {x, b.ints({axis})});
    centered = b.node("sub", "Sub", {x, mean});
    const ValueId other = twice ? b.node("sub2", "Sub", {x, mean}) : centered;
    const ValueId square =
        square_by_mul ? b.node("square", "Mul", {other, other}) : b.node("square", "Pow", {other, b.scalar(2)});
    const ValueId variance = b.node("variance", "ReduceMean", {square, b.ints({axis})});
    const ValueId root = b.node("root", "Sqrt", {b.node("sum", "Add", {variance, b.scalar(0.25F)})});
    b.node("div", "Div", {centered, root});
  }
  ValueId gamma(const Shape& shape = {4}) { return b.node("mul", "Mul", {b.graph.find_value("div"), b.ramp(shape)}); }
  ValueId beta(ValueId y, const Shape& shape = {4}) { return b.node("add", "Add", {b.ramp(shape), y}); }
};

TEST(FuseLayerNorm, FindsTheSpellings) {
  for (const auto& [axis, by_mul, twice] : {std::tuple(-1, false, false), {2, true, false}, {-1, false, true}}) {
    LayerNorm norm(axis, by_mul, twice);
    norm.b.output(norm.beta(norm.gamma()));
    run_and_compare(norm.b.graph, fuse_layer_norm, 1);
    ASSERT_EQ(ops(norm.b.graph), "LayerNormalization");
    const Node& fused = norm.b.graph.node(norm.b.graph.find_node("add"));
    EXPECT_EQ(fused.attributes.get_float("epsilon", 0), 0.25F);
    EXPECT_EQ(fused.attributes.get_int("axis", 0), -1);
    EXPECT_EQ(fused.origins.size(), twice ? 10U : 9U);
  }
}

TEST(FuseLayerNorm, DoesWithoutBeta) {
  LayerNorm norm;
  norm.b.output(norm.gamma());
  run_and_compare(norm.b.graph, fuse_layer_norm, 1);
  EXPECT_EQ(ops(norm.b.graph), "LayerNormalization");
  EXPECT_EQ(norm.b.graph.node(norm.b.graph.find_node("mul")).inputs.size(), 2U);
}

TEST(FuseLayerNorm, LeavesABetaOfAnotherShapeBehind) {
  LayerNorm norm;
  norm.b.output(norm.beta(norm.gamma(), {3, 4}));
  run_and_compare(norm.b.graph, fuse_layer_norm, 1);
  EXPECT_EQ(ops(norm.b.graph), "LayerNormalization Add");
}

TEST(FuseLayerNorm, RefusesOtherAxesGammasAndUses) {
  LayerNorm middle(1), used, gamma, bare;
  middle.b.output(middle.beta(middle.gamma()));
  EXPECT_EQ(fuse_layer_norm(middle.b.graph), 0);
  used.b.output(used.beta(used.gamma()));
  used.b.output(used.centered);
  EXPECT_EQ(fuse_layer_norm(used.b.graph), 0);
  gamma.b.output(gamma.gamma({1}));
  EXPECT_EQ(fuse_layer_norm(gamma.b.graph), 0);
  bare.b.output(bare.b.graph.find_value("div"));
  EXPECT_EQ(fuse_layer_norm(bare.b.graph), 0);
}

}  // namespace
}  // namespace twofold
