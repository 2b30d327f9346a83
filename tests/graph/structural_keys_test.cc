#include "graph/structural_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "passes/graph_builder.h"

namespace twofold {
namespace {

// x -> gemm (weights of 1 KiB) -> relu -> y.
Graph chain(float first_weight, const std::string& prefix, int64_t transposed) {
  std::vector<float> weight(256, 0.5F);
  weight[0] = first_weight;
  GraphBuilder b;
  const ValueId x = b.input(prefix + "x", {1, 16});
  const ValueId gemm = b.node(prefix + "gemm", "Gemm", {x, b.floats({16, 16}, weight)}, {{"transB", transposed}});
  b.output(b.node(prefix + "relu", "Relu", {gemm}));
  return b.graph;
}

ContentHash key_of(const Graph& graph, const std::string& name) {
  StructuralKeys keys;
  return keys.of(graph)[static_cast<size_t>(graph.find_value(name))];
}

TEST(StructuralKeys, TellWhatAValueIsComputedFromAndNotWhatItIsCalled) {
  const ContentHash key = key_of(chain(1, "a", 0), "arelu");
  EXPECT_EQ(key_of(chain(1, "b", 0), "brelu"), key);
  EXPECT_NE(key_of(chain(2, "a", 0), "arelu"), key);  // another weight
  EXPECT_NE(key_of(chain(1, "a", 1), "arelu"), key);  // another attribute
  EXPECT_NE(key_of(chain(1, "a", 0), "agemm"), key);
  EXPECT_NE(key_of(chain(1, "a", 0), "ax"), key);
  // -0 and 0 are different contents.
  EXPECT_NE(key_of(chain(0.0F, "a", 0), "arelu"), key_of(chain(-0.0F, "a", 0), "arelu"));
}

TEST(StructuralKeys, DistinguishInputsOutputsAndTheirOrder) {
  GraphBuilder b;
  const ValueId x = b.input("x", {4}), y = b.input("y", {4});
  const ValueId a = b.node("a", "Sub", {x, y}), c = b.node("c", "Sub", {y, x});
  const ValueId same = b.node("same", "Sub", {x, y});
  const ValueId first = b.graph.add_value("first"), second = b.graph.add_value("second");
  b.graph.add_node({"topk", "TopK", "", {x, b.ints({2})}, {first, second}, {}, {}});
  const ValueId only = b.graph.add_value("only");
  b.graph.add_node({"topk1", "TopK", "", {x, b.ints({2})}, {only, kNone}, {}, {}});
  StructuralKeys keys;
  const std::vector<ContentHash> of = keys.of(b.graph);
  const auto at = [&of](ValueId id) { return of[static_cast<size_t>(id)]; };
  EXPECT_EQ(at(a), at(same));
  std::set<ContentHash> distinct;
  for (const ValueId id : {x, y, a, c, first, second, only}) distinct.insert(at(id));
  EXPECT_EQ(distinct.size(), 7U);
}

TEST(StructuralKeys, SeeABodyByWhatItComputes) {
  const auto with_body = [](float addend, const std::string& name) {
    GraphBuilder body;
    body.graph.num_captures = 1;
    const ValueId captured = body.input(name, {2});
    body.output(body.node("sum", "Add", {captured, body.scalar(addend)}));
    const auto branch = std::make_shared<const Graph>(std::move(body.graph));
    GraphBuilder b;
    const ValueId condition = b.input("condition", {}, DType::kBool), x = b.input("x", {2});
    b.output(b.node("if", "If", {condition, x}, {{"then_branch", branch}, {"else_branch", branch}}));
    return b.graph;
  };
  const ContentHash key = key_of(with_body(1, "x"), "if");
  EXPECT_EQ(key_of(with_body(1, "renamed"), "if"), key);
  EXPECT_NE(key_of(with_body(2, "x"), "if"), key);
}

TEST(StructuralKeys, OfAnOperatorLeaveOutWhereItsInputsComeFrom) {
  const Graph graph = chain(1, "a", 0), other = chain(2, "a", 0);
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 16});
  std::vector<float> weight(256, 0.5F);
  weight[0] = 1;
  b.output(b.node("gemm", "Gemm", {b.node("tanh", "Tanh", {x}), b.floats({16, 16}, weight)}, {{"transB", int64_t{0}}}));
  StructuralKeys keys;
  const auto of_operator = [&keys](const Graph& g, const std::string& node) {
    return keys.of_operator(g, g.node(g.find_node(node)), keys.of(g));
  };
  EXPECT_EQ(of_operator(graph, "agemm"), of_operator(b.graph, "gemm"));
  EXPECT_NE(of_operator(graph, "agemm"), of_operator(other, "agemm"));
}

TEST(StructuralKeys, AreNotFooledByMemoryThatIsUsedAgain) {
  StructuralKeys keys;
  std::set<ContentHash> seen;
  for (int i = 0; i < 50; ++i) {
    const Graph graph = chain(static_cast<float>(i), "a", 0);
    seen.insert(keys.of(graph)[static_cast<size_t>(graph.find_value("arelu"))]);
  }
  EXPECT_EQ(seen.size(), 50U);
}

}  // namespace
}  // namespace twofold
