#include <fmt/format.h>
#include <gtest/gtest.h>

#include "passes/canonicalize_clip.h"
#include "passes/fuse_gelu.h"
#include "passes/fuse_hard_swish.h"
#include "passes/fuse_mish.h"
#include "passes/fuse_sigmoid.h"
#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

// x and what the patterns are written with; every node's name is given by the order in which it is made.
struct Expression {
  GraphBuilder b;
  ValueId x = b.input("x", {2, 3, 4});

  ValueId op(const std::string& op_type, const std::vector<ValueId>& inputs) {
    return b.node(fmt::format("n{}", b.graph.num_nodes()), op_type, inputs);
  }
  ValueId add(ValueId a, float c) { return op("Add", {a, b.scalar(c)}); }
  ValueId mul(ValueId a, ValueId c) { return op("Mul", {a, c}); }
  ValueId mul(ValueId a, float c) { return op("Mul", {a, b.scalar(c)}); }
  ValueId div(ValueId a, float c) { return op("Div", {a, b.scalar(c)}); }
  ValueId clip3() { return op("Clip", {op("Add", {b.floats({1}, {3}), x}), b.scalar(0), b.scalar(6)}); }
  ValueId erf_factor() { return add(op("Erf", {div(x, 1.41421356F)}), 1); }
  ValueId tanh_factor() {
    const ValueId cube = op("Pow", {x, b.scalar(3)});
    return add(op("Tanh", {mul(op("Add", {x, mul(cube, 0.044715F)}), 0.7978845608F)}), 1);
  }
  // Ends the graph here; the pass must leave exactly `left`.
  void expect(ValueId y, int (*pass)(Graph&), const std::string& left) {
    b.output(y);
    const std::string name = b.graph.value(y).name;
    const int nodes = b.graph.num_nodes();
    run_and_compare(b.graph, pass, 1);
    EXPECT_EQ(ops(b.graph), left);
    const Node& fused = b.graph.node(b.graph.find_node(name));
    EXPECT_EQ(static_cast<int>(fused.origins.size()), nodes);
    EXPECT_EQ(fused.origins[0], name);
  }
};

TEST(FuseHardSwish, FindsEveryOrder) {
  Expression a, b, c, d, e, f;
  a.expect(a.div(a.mul(a.x, a.clip3()), 6), fuse_hard_swish, "HardSwish");
  b.expect(b.mul(b.mul(b.clip3(), b.x), 1.0F / 6), fuse_hard_swish, "HardSwish");
  c.expect(c.mul(c.div(c.x, 6), c.clip3()), fuse_hard_swish, "HardSwish");
  d.expect(d.mul(d.clip3(), d.mul(d.x, 1.0F / 6)), fuse_hard_swish, "HardSwish");
  e.expect(e.div(e.clip3(), 6), fuse_hard_swish, "HardSigmoid");
  const ValueId sigmoid = f.b.node("hs", "HardSigmoid", {f.x}, {{"alpha", 0.16666670143604279F}});
  f.expect(f.mul(f.x, sigmoid), fuse_hard_swish, "HardSwish");
}

TEST(FuseHardSwish, GoesThroughHardSigmoid) {
  Expression e;
  e.b.output(e.mul(e.x, e.div(e.clip3(), 6)));
  run_and_compare(e.b.graph, fuse_hard_swish, 2);
  EXPECT_EQ(ops(e.b.graph), "HardSwish");
}

TEST(FuseHardSwish, Refuses) {
  Expression other_alpha, used, other_x, bounds;
  const ValueId sigmoid = other_alpha.b.node("hs", "HardSigmoid", {other_alpha.x}, {{"alpha", 0.2F}});
  other_alpha.b.output(other_alpha.mul(other_alpha.x, sigmoid));
  EXPECT_EQ(fuse_hard_swish(other_alpha.b.graph), 0);
  const ValueId clip = used.clip3();
  used.b.output(used.div(used.mul(used.x, clip), 6));
  used.b.output(clip);
  EXPECT_EQ(fuse_hard_swish(used.b.graph), 0);
  other_x.b.output(other_x.div(other_x.mul(other_x.b.input("z", {2, 3, 4}), other_x.clip3()), 6));
  EXPECT_EQ(fuse_hard_swish(other_x.b.graph), 0);
  const ValueId clip5 = bounds.op("Clip", {bounds.add(bounds.x, 3), bounds.b.scalar(0), bounds.b.scalar(5)});
  bounds.b.output(bounds.div(bounds.mul(bounds.x, clip5), 6));
  EXPECT_EQ(fuse_hard_swish(bounds.b.graph), 0);
}

TEST(FuseGelu, FindsErfInEveryOrder) {
  Expression a, b, c, d;
  a.expect(a.mul(a.mul(a.x, a.erf_factor()), 0.5F), fuse_gelu, "Gelu");
  b.expect(b.mul(b.mul(b.x, 0.5F), b.erf_factor()), fuse_gelu, "Gelu");
  c.expect(c.mul(c.x, c.mul(c.erf_factor(), 0.5F)), fuse_gelu, "Gelu");
  const ValueId factor = d.add(d.op("Erf", {d.mul(d.x, 0.70710678F)}), 1);
  d.expect(d.mul(d.mul(factor, d.x), 0.5F), fuse_gelu, "Gelu");
  EXPECT_EQ(a.b.graph.node(a.b.graph.topological_order()[0]).attributes.get_string("approximate", "none"), "none");
}

TEST(FuseGelu, FindsTanhInItsSpellings) {
  Expression a, b, c;
  a.expect(a.mul(a.mul(a.x, 0.5F), a.tanh_factor()), fuse_gelu, "Gelu");
  EXPECT_EQ(a.b.graph.node(a.b.graph.topological_order()[0]).attributes.get_string("approximate", "none"), "tanh");
  const ValueId cube = b.mul(b.x, b.mul(b.x, b.x));
  const ValueId sum = b.op("Add", {b.mul(cube, 0.044715F), b.x});
  b.expect(b.mul(b.mul(b.x, b.add(b.op("Tanh", {b.mul(sum, 0.7978846F)}), 1)), 0.5F), fuse_gelu, "Gelu");
  const ValueId quadratic = c.add(c.mul(c.mul(c.x, 0.044715F), c.x), 1);
  const ValueId argument = c.mul(c.mul(c.x, 0.7978845608F), quadratic);
  c.expect(c.mul(c.mul(c.x, 0.5F), c.add(c.op("Tanh", {argument}), 1)), fuse_gelu, "Gelu");
}

TEST(FuseGelu, Refuses) {
  Expression third, used, scale;
  third.b.output(third.mul(third.mul(third.x, third.erf_factor()), 0.3F));
  EXPECT_EQ(fuse_gelu(third.b.graph), 0);
  const ValueId factor = used.erf_factor();
  used.b.output(used.mul(used.mul(used.x, factor), 0.5F));
  used.b.output(factor);
  EXPECT_EQ(fuse_gelu(used.b.graph), 0);
  const ValueId wrong = scale.add(scale.op("Erf", {scale.div(scale.x, 1.5F)}), 1);
  scale.b.output(scale.mul(scale.mul(scale.x, wrong), 0.5F));
  EXPECT_EQ(fuse_gelu(scale.b.graph), 0);
}

TEST(FuseMish, FindsSoftplusAndMish) {
  Expression a, b;
  a.expect(a.op("Log", {a.add(a.op("Exp", {a.x}), 1)}), fuse_mish, "Softplus");
  b.expect(b.mul(b.op("Tanh", {b.op("Softplus", {b.x})}), b.x), fuse_mish, "Mish");
}

TEST(CanonicalizeClip, WritesRelu) {
  Expression open, infinite, six, dynamic;
  open.b.output(open.op("Clip", {open.x, open.b.scalar(0)}));
  run_and_compare(open.b.graph, canonicalize_clip, 1);
  EXPECT_EQ(ops(open.b.graph), "Relu");
  infinite.b.output(infinite.op("Clip", {infinite.x, infinite.b.scalar(0), infinite.b.scalar(3.4028235e38F)}));
  run_and_compare(infinite.b.graph, canonicalize_clip, 1);
  six.b.output(six.op("Clip", {six.x, six.b.scalar(0), six.b.scalar(6)}));
  EXPECT_EQ(canonicalize_clip(six.b.graph), 0);
  dynamic.b.output(dynamic.op("Clip", {dynamic.x, dynamic.b.scalar(0), dynamic.b.input("high", {})}));
  EXPECT_EQ(canonicalize_clip(dynamic.b.graph), 0);
}

TEST(FuseSigmoid, FindsTheSpellings) {
  const auto power = [](Expression& e) { return e.op("Exp", {e.op("Neg", {e.x})}); };
  Expression a, b, c, d;
  a.expect(a.op("Div", {a.b.scalar(1), a.add(power(a), 1)}), fuse_sigmoid, "Sigmoid");
  b.expect(b.op("Reciprocal", {b.op("Add", {b.b.scalar(1), power(b)})}), fuse_sigmoid, "Sigmoid");
  c.expect(c.op("Reciprocal", {c.add(c.op("Exp", {c.mul(c.x, -1.0F)}), 1)}), fuse_sigmoid, "Sigmoid");
  // Swish as one division.
  d.b.output(d.op("Div", {d.x, d.add(power(d), 1)}));
  run_and_compare(d.b.graph, fuse_sigmoid, 1);
  EXPECT_EQ(ops(d.b.graph), "Sigmoid Mul");
  EXPECT_EQ(d.b.graph.node(d.b.graph.find_node("n2")).origins, (std::vector<std::string>{"n2", "n0", "n1"}));
}

TEST(FuseSigmoid, RefusesOtherConstantsRanksAndUses) {
  const auto sum = [](Expression& e, float one) { return e.add(e.op("Exp", {e.op("Neg", {e.x})}), one); };
  Expression two, raised, used, positive;
  two.b.output(two.op("Reciprocal", {sum(two, 2)}));
  EXPECT_EQ(fuse_sigmoid(two.b.graph), 0);
  raised.b.output(raised.op("Div", {raised.b.floats({1, 1, 1, 1}, {1}), sum(raised, 1)}));
  EXPECT_EQ(fuse_sigmoid(raised.b.graph), 1);
  EXPECT_EQ(ops(raised.b.graph), "Sigmoid Mul") << "the product keeps the rank of the constant";
  const ValueId shared = sum(used, 1);
  used.b.output(used.op("Reciprocal", {shared}));
  used.b.output(shared);
  EXPECT_EQ(fuse_sigmoid(used.b.graph), 0);
  positive.b.output(positive.op("Reciprocal", {positive.add(positive.op("Exp", {positive.x}), 1)}));
  EXPECT_EQ(fuse_sigmoid(positive.b.graph), 0);
}

}  // namespace
}  // namespace twofold
