#include "engine/watched_tensors.h"

#include "base/message_of.h"
#include "engine/lower.h"
#include "engine/qdq_builder.h"

namespace twofold {
namespace {

WatchedTensor found(Graph graph, const std::string& name) {
  const TensorReaders readers(graph, {name});
  lower(graph, {.watched = {name}});
  return readers.in(graph).at(name);
}

std::string refusal(const Graph& graph, const std::string& name) {
  return testing::message_of([&] { found(graph, name); });
}

// sum = x + y, at two precisions and in float; then a table, and a product.
struct Network : QdqBuilder {
  Network() {
    const ValueId x = edge(input("x", {4, 30}), 0.03F), y = edge(input("y", {4, 30}), 0.02F);
    const ValueId sum = node("sum", "Add", {x, y});
    const ValueId table = edge(node("table", "Sigmoid", {edge(sum, 0.04F)}), 0.01F);
    output(edge(node("product", "MatMul", {table, weight({30, 5}, 0.01F)}), 0.05F));
    output(edge(sum, 0.0002F, DType::kInt16));
    output(node("float", "Softmax", {sum}));
  }
};

TEST(WatchedTensors, HaveTheIntegersThatComeWithThem) {
  const WatchedTensor sum = found(Network().graph, "sum");
  EXPECT_NE(sum.real, kNone);
  ASSERT_EQ(sum.integers.size(), 2U);
  EXPECT_EQ(sum.integers[0].dtype, DType::kInt8);
  EXPECT_EQ(sum.integers[0].scale, std::vector<float>{0.04F});
  EXPECT_EQ(sum.integers[1].dtype, DType::kInt16);
}

TEST(WatchedTensors, MayBeThereAsIntegersOnly) {
  const WatchedTensor product = found(Network().graph, "product");
  EXPECT_EQ(product.real, kNone);
  ASSERT_EQ(product.integers.size(), 1U);
  EXPECT_EQ(product.integers[0].scale, std::vector<float>{0.05F});
}

TEST(WatchedTensors, AreThemselvesWhereNothingIsFused) {
  for (const char* name : {"x", "float"}) {  // the QuantizeLinear of x reads it
    const WatchedTensor tensor = found(Network().graph, name);
    EXPECT_NE(tensor.real, kNone) << name;
    EXPECT_TRUE(tensor.integers.empty()) << name;
  }
}

TEST(WatchedTensors, IntegersAreReadThroughTheirDequantizeLinear) {
  const Network network;
  const Graph& graph = network.graph;
  const NodeId quantizer = graph.consumers(graph.find_value("sum"))[0];
  const WatchedTensor integers = found(graph, graph.value(graph.node(quantizer).output(0)).name);
  EXPECT_NE(integers.real, kNone);
  EXPECT_TRUE(integers.integers.empty());
}

TEST(WatchedTensors, AreRefusedWhereSomethingReadsPastThem) {
  const Network network;
  const Graph& graph = network.graph;
  // What DequantizeLinear gives is read as integers by the Add.
  const ValueId dequantized = graph.node(graph.find_node("sum")).input(0);
  EXPECT_NE(refusal(graph, graph.value(dequantized).name).find("cannot be watched"), std::string::npos);
  EXPECT_NE(refusal(graph, "nothing").find("tensor 'nothing' cannot be watched"), std::string::npos);
}

}  // namespace
}  // namespace twofold
