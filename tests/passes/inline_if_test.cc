#include "passes/inline_if.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "passes/graph_builder.h"
#include "passes/pipeline.h"

namespace twofold {
namespace {

using Body = std::shared_ptr<const Graph>;

// A branch that captures "x" and gives op(x) * factor and x itself; its tensors are called as those around it are.
Body branch(const std::string& op, float factor) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  b.graph.num_captures = 1;
  b.output(b.node("y", "Mul", {b.node("inner", op, {x}), b.scalar(factor)}));
  b.output(x);
  return std::make_shared<const Graph>(std::move(b.graph));
}

Graph choice(const Tensor& condition) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2}), c = b.graph.add_constant("condition", condition);
  const ValueId y = b.graph.add_value("y"), same = b.graph.add_value("same");
  Node node{"choice", "If", "", {c, x}, {y, same}, {}, {}};
  node.attributes.set("then_branch", branch("Relu", 2));
  node.attributes.set("else_branch", branch("Neg", 3));
  b.graph.add_node(std::move(node));
  b.output(b.node("inner", "Add", {y, same}));
  b.output(same);
  return b.graph;
}

Tensor boolean(bool value) {
  Tensor tensor(DType::kBool, {});
  tensor.mutable_data<uint8_t>()[0] = value ? 1 : 0;
  return tensor;
}

std::vector<float> sums(const Graph& graph) {
  const Tensor x = Tensor::from<float>({2}, std::vector<float>{-1.5F, 4.0F});
  const std::vector<Tensor> outputs = Executor(graph, {.threads = 1}).run({x});
  EXPECT_EQ(outputs[1].data<float>()[0], -1.5F);
  return {outputs[0].data<float>().begin(), outputs[0].data<float>().end()};
}

TEST(InlineIf, TakesTheBranchThatIsTaken) {
  for (const bool condition : {true, false}) {
    Graph graph = choice(boolean(condition));
    const std::vector<float> before = sums(graph);
    EXPECT_EQ(inline_if(graph), 1);
    verify(graph);
    EXPECT_EQ(ops(graph), condition ? "Relu Mul Add" : "Neg Mul Add");
    EXPECT_EQ(sums(graph), before);
    EXPECT_EQ(before, condition ? (std::vector<float>{-1.5F, 12.0F}) : (std::vector<float>{3.0F, -8.0F}));
  }
}

TEST(InlineIf, LeavesAloneWhatDependsOnData) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2}), c = b.input("c", {}, DType::kBool);
  b.output(b.node("y", "If", {c, x}, {{"then_branch", branch("Relu", 2)}, {"else_branch", branch("Neg", 3)}}));
  EXPECT_EQ(inline_if(b.graph), 0);
  Graph several = choice(Tensor(DType::kBool, {2}));
  EXPECT_EQ(inline_if(several), 0);
}

// A condition that folds to a constant, and an If inside the branch that is taken.
TEST(InlineIf, WorksWithTheOtherPasses) {
  GraphBuilder inner;
  const ValueId inner_x = inner.input("x", {2});
  const ValueId never = inner.graph.add_constant("never", boolean(false));
  inner.graph.num_captures = 1;
  inner.output(
      inner.node("z", "If", {never, inner_x}, {{"then_branch", branch("Relu", 2)}, {"else_branch", branch("Neg", 3)}}));
  const auto body = std::make_shared<const Graph>(inner.graph);
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  const ValueId condition = b.node("less", "Less", {b.scalar(1), b.scalar(2)});
  b.output(b.node("y", "If", {condition, x}, {{"then_branch", body}, {"else_branch", branch("Abs", 1)}}));
  run_passes(b.graph);
  EXPECT_EQ(ops(b.graph), "Neg Mul");
  EXPECT_EQ(b.graph.outputs[0].name, "y");
}

}  // namespace
}  // namespace twofold
