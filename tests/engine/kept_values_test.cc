#include "engine/kept_values.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "ops/run_op.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

// Two branches that meet, a node with two outputs, and a tail; every value watched, so that none is fused away.
struct Network : GraphBuilder {
  ValueId x = input("x", {2, 4, 6, 6});
  ValueId a = node("a", "Relu", {x});
  ValueId b = node("b", "AveragePool", {a},
                   {{"kernel_shape", std::vector<int64_t>{3, 3}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  ValueId c = node("c", "Sigmoid", {x});
  ValueId sum = node("sum", "Add", {b, c});
  ValueId low, high;
  ValueId y;

  Network() {
    low = graph.add_value("low");
    high = graph.add_value("high");
    Node split{"split", "Split", "", {sum}, {low, high}, {}, {}};
    split.attributes.set("axis", int64_t{1});
    split.attributes.set("num_outputs", int64_t{2});
    graph.add_node(std::move(split));
    y = node("y", "Mul", {node("t", "Tanh", {low}), high});
    output(y);
    output(c);
  }

  ExecutorOptions options() const {
    ExecutorOptions watching{.threads = 1};
    for (ValueId id = 0; id < graph.num_values(); ++id) watching.watched.push_back(id);
    return watching;
  }
};

// The outputs where `id` is an input of the graph instead.
std::vector<Tensor> with_replaced(const Network& network, ValueId id, const Tensor& tensor, const Tensor& x) {
  Graph graph = network.graph;
  const ValueId given = graph.add_value("given", {DType::kFloat32, std::nullopt});
  graph.replace_uses(id, given);
  graph.inputs.push_back(given);
  return Executor(graph, {.threads = 1}).run({x, tensor});
}

void expect_equal(const std::vector<Tensor>& got, const std::vector<Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) testing::expect_same(got[i], expected[i]);
}

TEST(KeptValues, GivesWhatAWholeRunGives) {
  const Network network;
  const Executor executor(network.graph, network.options());
  const Tensor x = random_tensor({2, 4, 6, 6}, 1);
  for (const size_t cap : {std::numeric_limits<size_t>::max(), size_t{3000}, size_t{0}}) {
    const KeptValues kept(executor, {x}, cap);
    EXPECT_LE(kept.kept_bytes(), cap);
    expect_equal(kept.outputs(), executor.run({x}));
    for (const ValueId id : {network.a, network.b, network.c, network.sum, network.low, network.high, network.y}) {
      const bool half = id == network.low || id == network.high || id == network.y;
      const Tensor changed = random_tensor({2, half ? 2 : 4, 6, 6}, static_cast<uint32_t>(id) + 7);
      SCOPED_TRACE(network.graph.value(id).name);
      expect_equal(kept.run_from({{id, changed}}), with_replaced(network, id, changed, x));
    }
  }
}

TEST(KeptValues, TakesSeveralChangesAndNewInputs) {
  const Network network;
  const Executor executor(network.graph, network.options());
  const Tensor x = random_tensor({2, 4, 6, 6}, 1), other = random_tensor({2, 4, 6, 6}, 2);
  const KeptValues kept(executor, {x});
  expect_equal(kept.run_from({{network.x, other}}), executor.run({other}));
  const Tensor b = random_tensor({2, 4, 6, 6}, 3);
  // A change that another one hides: only b counts, since everything that reads a is b.
  expect_equal(kept.run_from({{network.a, other}, {network.b, b}}), kept.run_from({{network.b, b}}));
}

TEST(KeptValues, RunsOnlyWhatDependsOnAChange) {
  const Network network;
  const Executor executor(network.graph, network.options());
  const KeptValues kept(executor, {random_tensor({2, 4, 6, 6}, 1)});
  EXPECT_EQ(kept.nodes_to_run({network.y}), 0);
  EXPECT_EQ(kept.nodes_to_run({network.high}), 1);  // Mul
  EXPECT_EQ(kept.nodes_to_run({network.low}), 2);   // Tanh, Mul
  EXPECT_EQ(kept.nodes_to_run({network.a}), 5);     // AveragePool, Add, Split, Tanh, Mul
  const KeptValues nothing(executor, {random_tensor({2, 4, 6, 6}, 1)}, 0);
  EXPECT_EQ(nothing.nodes_to_run({network.low}), 7);  // all: the other half has to be computed again
}

TEST(KeptValues, HandsOutValuesWhetherKeptOrNot) {
  const Network network;
  const Executor executor(network.graph, network.options());
  const Tensor x = random_tensor({2, 4, 6, 6}, 1);
  const KeptValues all(executor, {x}), none(executor, {x}, 0);
  for (const ValueId id : {network.x, network.a, network.b, network.sum, network.high, network.y}) {
    EXPECT_TRUE(all.is_changeable(id));
    testing::expect_same(none.value(id), all.value(id));
    expect_equal(none.run_from({{id, all.value(id)}}), all.outputs());
  }
}

TEST(KeptValues, RefusesTensorsOfAnotherShapeOrType) {
  const Network network;
  const Executor executor(network.graph, network.options());
  const KeptValues kept(executor, {random_tensor({2, 4, 6, 6}, 1)}, 0);
  const std::string message = testing::message_of([&] { kept.run_from({{network.b, Tensor::scalar(1.0F)}}); });
  EXPECT_NE(message.find("tensor 'b' is float32 [2,4,6,6]"), std::string::npos) << message;
}

TEST(KeptValues, RefusesWhatNoNodeComputes) {
  Network network;
  const ValueId constant = network.scalar(1);
  const Executor executor(network.graph, network.options());
  const KeptValues kept(executor, {random_tensor({2, 4, 6, 6}, 1)});
  EXPECT_NE(testing::message_of([&] {
              kept.run_from({{constant, Tensor::scalar(1.0F)}});
            }).find("cannot be changed"),
            std::string::npos);
}

}  // namespace
}  // namespace twofold
