#include "passes/fuse_softmax.h"

#include <gtest/gtest.h>

#include <limits>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

struct Softmax {
  GraphBuilder b;
  ValueId x = b.input("x", {2, 3, 4}), powers = kNone;

  enum class Shift { kNone, kMax, kMaxOfLowest };

  // Exp of x, from which its largest number along `axis` is subtracted; and what that is divided by.
  ValueId sum(Shift shift, int64_t axis, int64_t sum_axis, int64_t keepdims = 1) {
    ValueId shifted = x;
    if (shift != Shift::kNone) {
      ValueId largest = b.node("max", "ReduceMax", {x, b.ints({axis})});
      if (shift == Shift::kMaxOfLowest) {
        largest = b.node("lowest", "Max", {b.scalar(-std::numeric_limits<float>::infinity()), largest});
      }
      shifted = b.node("sub", "Sub", {x, largest});
    }
    powers = b.node("exp", "Exp", {shifted});
    return b.node("sum", "ReduceSum", {powers, b.ints({sum_axis})}, {{"keepdims", keepdims}});
  }
};

TEST(FuseSoftmax, FindsTheSpellings) {
  for (const auto shift : {Softmax::Shift::kNone, Softmax::Shift::kMax, Softmax::Shift::kMaxOfLowest}) {
    for (const int64_t axis : {-1, 1}) {
      for (const bool by_reciprocal : {false, true}) {
        Softmax s;
        const ValueId sum = s.sum(shift, axis, axis < 0 ? 2 : axis);
        s.b.output(by_reciprocal ? s.b.node("y", "Mul", {s.b.node("inverse", "Reciprocal", {sum}), s.powers})
                                 : s.b.node("y", "Div", {s.powers, sum}));
        const int nodes = s.b.graph.num_nodes();
        run_and_compare(s.b.graph, fuse_softmax, 1);
        ASSERT_EQ(ops(s.b.graph), "Softmax");
        const Node& fused = s.b.graph.node(s.b.graph.find_node("y"));
        EXPECT_EQ(static_cast<int>(fused.origins.size()), nodes);
        EXPECT_EQ(fused.attributes.get_int("axis", 0), axis < 0 ? 2 : axis);
      }
    }
  }
}

TEST(FuseSoftmax, LeavesAnotherShiftInFront) {
  Softmax s;
  const ValueId sum = s.sum(Softmax::Shift::kMax, 1, 2);
  s.b.output(s.b.node("y", "Div", {s.powers, sum}));
  run_and_compare(s.b.graph, fuse_softmax, 1);
  EXPECT_EQ(ops(s.b.graph), "ReduceMax Sub Softmax");
}

TEST(FuseSoftmax, RefusesOtherUsesAndLostAxes) {
  Softmax lost, other;
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3, 4}), powers = b.node("exp", "Exp", {x});
  b.output(b.node("y", "Div", {powers, b.node("sum", "ReduceSum", {powers, b.ints({2})})}));
  b.output(powers);
  EXPECT_EQ(fuse_softmax(b.graph), 0);
  const ValueId sum = lost.sum(Softmax::Shift::kNone, 2, 0, 0);
  lost.b.output(lost.b.node("y", "Div", {lost.powers, sum}));
  EXPECT_EQ(fuse_softmax(lost.b.graph), 0);
  const ValueId of_all = other.sum(Softmax::Shift::kNone, 2, 2);
  other.b.output(other.b.node("y", "Div", {other.x, of_all}));
  EXPECT_EQ(fuse_softmax(other.b.graph), 0);
}

}  // namespace
}  // namespace twofold
