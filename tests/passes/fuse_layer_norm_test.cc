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

TEST(FuseLayerNorm, RefusesOtherAxesUsesAndUnknownLengths) {
  LayerNorm middle(1), used, gamma;
  middle.b.output(middle.beta(middle.gamma()));
  EXPECT_EQ(fuse_layer_norm(middle.b.graph), 0);
  used.b.output(used.beta(used.gamma()));
  used.b.output(used.centered);
  EXPECT_EQ(fuse_layer_norm(used.b.graph), 0);
  gamma.b.output(gamma.gamma({1}));
  EXPECT_EQ(fuse_layer_norm(gamma.b.graph), 1);
  EXPECT_EQ(ops(gamma.b.graph), "LayerNormalization Mul") << "a factor of another shape stays behind";
  GraphBuilder unknown;
  const ValueId x = unknown.input("x", {2, 3, -1});
  const ValueId centered = unknown.node("sub", "Sub", {x, unknown.node("mean", "ReduceMean", {x, unknown.ints({-1})})});
  const ValueId square = unknown.node("square", "Mul", {centered, centered});
  const ValueId variance = unknown.node("variance", "ReduceMean", {square, unknown.ints({-1})});
  const ValueId root = unknown.node("root", "Sqrt", {unknown.node("sum", "Add", {variance, unknown.scalar(1)})});
  unknown.output(unknown.node("div", "Div", {centered, root}));
  EXPECT_EQ(fuse_layer_norm(unknown.graph), 0) << "the length of gamma is not known";
}

TEST(FuseLayerNorm, DoesWithoutGamma) {
  LayerNorm bare, beta;
  bare.b.output(bare.b.graph.find_value("div"));
  run_and_compare(bare.b.graph, fuse_layer_norm, 1);
  ASSERT_EQ(ops(bare.b.graph), "LayerNormalization");
  EXPECT_EQ(constant_floats(bare.b.graph, bare.b.graph.node(bare.b.graph.find_node("div")).input(1)),
            (std::vector<float>{1, 1, 1, 1}));
  beta.b.output(beta.beta(beta.b.graph.find_value("div")));
  run_and_compare(beta.b.graph, fuse_layer_norm, 1);
  EXPECT_EQ(ops(beta.b.graph), "LayerNormalization");
}

// As flax writes it: mean(x^2) - mean(x)^2, kept above 0, and the gain before the product.
TEST(FuseLayerNorm, FindsWhatJaxWrites) {
  for (const char* const clamp : {"Max", "Relu", ""}) {
    for (const char* const inverse : {"Reciprocal", "Div", "Pow"}) {
      for (const bool gain_first : {true, false}) {
        GraphBuilder b;
        const ValueId x = b.input("x", {2, 3, 4}), last = b.ints({-1});
        const ValueId mean = b.node("mean", "ReduceMean", {x, last});
        const ValueId of_squares = b.node("of_squares", "ReduceMean", {b.node("x2", "Mul", {x, x}), last});
        ValueId v = b.node("variance", "Sub", {of_squares, b.node("mean2", "Mul", {mean, mean})});
        if (clamp == std::string("Max")) v = b.node("clamp", "Max", {b.scalar(0), v});
        if (clamp == std::string("Relu")) v = b.node("clamp", "Relu", {v});
        const ValueId sum = b.node("sum", "Add", {v, b.scalar(0.25F)});
        ValueId r = kNone;
        if (inverse == std::string("Pow")) {
          r = b.node("inverse", "Pow", {sum, b.scalar(-0.5F)});
        } else {
          const ValueId root = b.node("root", "Sqrt", {sum});
          r = inverse == std::string("Div") ? b.node("inverse", "Div", {b.scalar(1), root})
                                            : b.node("inverse", "Reciprocal", {root});
        }
        const ValueId centered = b.node("center", "Sub", {x, mean});
        if (gain_first) {
          r = b.node("gain", "Mul", {r, b.ramp({4})});
          b.output(b.node("bias", "Add", {b.node("normal", "Mul", {centered, r}), b.ramp({4})}));
        } else {
          b.output(b.node("gain", "Mul", {b.ramp({4}), b.node("normal", "Mul", {r, centered})}));
        }
        run_and_compare(b.graph, fuse_layer_norm, 1);
        EXPECT_EQ(ops(b.graph), "LayerNormalization") << clamp << " " << inverse << " " << gain_first;
      }
    }
  }
}

}  // namespace
}  // namespace twofold
