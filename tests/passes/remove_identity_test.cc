#include "passes/remove_identity.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {
namespace {

// Relu -> the node under test -> Sigmoid, and what is left of it.
struct Chain {
  GraphBuilder b;
  ValueId x;

  explicit Chain(const Shape& shape = {-1, 3, 8, 8}) : x(b.node("relu", "Relu", {b.input("x", shape)})) {}
  std::string remove(const std::string& op, std::vector<ValueId> more = {},
                     const std::vector<std::pair<std::string, Attribute>>& attributes = {}) {
    more.insert(more.begin(), x);
    b.output(b.node("sigmoid", "Sigmoid", {b.node("node", op, more, attributes)}));
    remove_identity(b.graph);
    verify(b.graph);
    return ops(b.graph);
  }
};

constexpr const char* kRemoved = "Relu Sigmoid";

TEST(RemoveIdentity, RemovesWhatDoesNothing) {
  EXPECT_EQ(Chain().remove("Identity"), kRemoved);
  EXPECT_EQ(Chain().remove("Dropout"), kRemoved);
  EXPECT_EQ(Chain().remove("Concat", {}, {{"axis", int64_t{1}}}), kRemoved);
  EXPECT_EQ(Chain().remove("Cast", {}, {{"to", int64_t{1}}}), kRemoved);
  EXPECT_EQ(Chain().remove("Transpose", {}, {{"perm", std::vector<int64_t>{0, 1, 2, 3}}}), kRemoved);
  Chain reshape, pad, slice, add, mul, div, pow, resize;
  EXPECT_EQ(reshape.remove("Reshape", {reshape.b.ints({-1, 3, 8, 8})}), kRemoved);
  EXPECT_EQ(pad.remove("Pad", {pad.b.ints({0, 0, 0, 0, 0, 0, 0, 0})}), kRemoved);
  EXPECT_EQ(slice.remove("Slice", {slice.b.ints({0}), slice.b.ints({0x7fffffffffffffff}), slice.b.ints({2})}),
            kRemoved);
  EXPECT_EQ(add.remove("Add", {add.b.scalar(0)}), kRemoved);
  EXPECT_EQ(mul.remove("Mul", {mul.b.floats({1, 1}, {1})}), kRemoved);
  EXPECT_EQ(div.remove("Div", {div.b.scalar(1)}), kRemoved);
  EXPECT_EQ(pow.remove("Pow", {pow.b.scalar(1)}), kRemoved);
  EXPECT_EQ(resize.remove("Resize", {kNone, resize.b.floats({4}, {1, 1, 1, 1})}), kRemoved);
}

TEST(RemoveIdentity, KeepsWhatDoesSomethingOrCannotBeProved) {
  EXPECT_EQ(Chain().remove("Cast", {}, {{"to", int64_t{10}}}), "Relu Cast Sigmoid");
  EXPECT_EQ(Chain().remove("Transpose"), "Relu Transpose Sigmoid");
  Chain reshape, open({-1, -1, 8}), pad, slice, add, raise({3}), div, mode;
  EXPECT_EQ(reshape.remove("Reshape", {reshape.b.ints({-1, 8, 3, 8})}), "Relu Reshape Sigmoid");
  EXPECT_EQ(open.remove("Reshape", {open.b.ints({-1, 4, 8})}), "Relu Reshape Sigmoid");
  EXPECT_EQ(pad.remove("Pad", {pad.b.ints({0, 0, 0, 0, 0, 0, 0, 1})}), "Relu Pad Sigmoid");
  EXPECT_EQ(slice.remove("Slice", {slice.b.ints({0}), slice.b.ints({-1}), slice.b.ints({2})}), "Relu Slice Sigmoid");
  EXPECT_EQ(add.remove("Add", {add.b.scalar(1)}), "Relu Add Sigmoid");
  // [1,1] against [3] raises the rank.
  EXPECT_EQ(raise.remove("Mul", {raise.b.floats({1, 1}, {1})}), "Relu Mul Sigmoid");
  EXPECT_EQ(mode.remove("Dropout", {kNone, mode.b.input("training", {}, DType::kBool)}), "Relu Dropout Sigmoid");
  Chain unknown;
  unknown.x = unknown.b.input_of_unknown_rank("y");
  EXPECT_EQ(unknown.remove("Add", {unknown.b.floats({1}, {0})}), "Relu Add Sigmoid");
}

TEST(RemoveIdentity, TwoConstantsKeepTheOtherOne) {
  GraphBuilder b;
  const ValueId five = b.scalar(5);
  b.output(b.node("sum", "Add", {five, b.scalar(0)}));
  EXPECT_EQ(remove_identity(b.graph), 1);
  EXPECT_EQ(b.graph.outputs[0].value, five);
}

TEST(RemoveIdentity, AnOutputKeepsItsName) {
  GraphBuilder b;
  b.output(b.node("out", "Identity", {b.node("relu", "Relu", {b.input("x", {1})})}));
  EXPECT_EQ(remove_identity(b.graph), 1);
  verify(b.graph);
  EXPECT_EQ(b.graph.outputs[0].name, "out");
  EXPECT_EQ(b.graph.value(b.graph.outputs[0].value).name, "relu");
}

TEST(RemoveIdentity, KeepsDropoutWhoseMaskIsUsed) {
  GraphBuilder b;
  const ValueId y = b.graph.add_value("y"), mask = b.graph.add_value("mask");
  b.graph.add_node({"dropout", "Dropout", "", {b.input("x", {1})}, {y, mask}, {}, {}});
  b.output(y);
  b.output(mask);
  EXPECT_EQ(remove_identity(b.graph), 0);
}

TEST(RemoveDeadNodes, RemovesChainsThatNothingReads) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1});
  b.node("d2", "Sigmoid", {b.node("d1", "Relu", {x})});
  b.output(b.node("y", "Relu", {x}));
  EXPECT_EQ(remove_dead_nodes(b.graph), 2);
  EXPECT_EQ(ops(b.graph), "Relu");
  EXPECT_EQ(b.graph.consumers(x).size(), 1U);
}

}  // namespace
}  // namespace twofold
