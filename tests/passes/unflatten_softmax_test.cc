#include "passes/unflatten_softmax.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/remove_dead_nodes.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

// What import makes of a Softmax of opset 11 over `axis`.
GraphBuilder softmax(const Shape& shape, int64_t axis) {
  GraphBuilder b;
  const ValueId x = b.input("x", shape);
  const ValueId flat = b.node("flatten", "Flatten", {x}, {{"axis", axis}});
  const ValueId y = b.node("softmax", "Softmax", {flat}, {{"axis", int64_t{-1}}});
  b.output(b.node("reshape", "Reshape", {y, b.node("shape", "Shape", {x})}));
  return b;
}

TEST(UnflattenSoftmax, WorksOnTheLastAxis) {
  GraphBuilder b = softmax({-1, 3, -1}, 2);
  run_and_compare(b.graph, unflatten_softmax, 1);
  remove_dead_nodes(b.graph);
  ASSERT_EQ(ops(b.graph), "Softmax");
  const Node& node = b.graph.node(b.graph.find_node("softmax"));
  EXPECT_EQ(node.attributes.get_int("axis", 0), -1);
  EXPECT_EQ(b.graph.value(node.outputs[0]).name, "reshape");
}

TEST(UnflattenSoftmax, RefusesOtherAxesAndUses) {
  GraphBuilder middle = softmax({2, 3, 4}, 1), used = softmax({2, 3, 4}, 2);
  EXPECT_EQ(unflatten_softmax(middle.graph), 0);
  used.output(used.graph.find_value("softmax"));
  EXPECT_EQ(unflatten_softmax(used.graph), 0);
}

}  // namespace
}  // namespace twofold
