// Values, nodes and the edges between them: what every edit leaves behind.
#include "graph/graph.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;
using Ids = std::vector<ValueId>;
using Names = std::vector<std::string>;

Names names_in_order(const Graph& graph) {
  Names names;
  for (const NodeId id : graph.topological_order()) names.push_back(graph.node(id).name);
  return names;
}

TEST(Graph, ValuesHaveNamesOfTheirOwn) {
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::kInt8, std::nullopt});
  EXPECT_EQ(message_of([&] { graph.add_value("x"); }), "two tensors are named 'x'; names must be unique");
  EXPECT_EQ(message_of([&] { graph.add_constant("x", Tensor::scalar(1.0F)); }),
            "two tensors are named 'x'; names must be unique");
  EXPECT_EQ(graph.num_values(), 1);
  EXPECT_EQ(graph.find_value("x"), x);
  EXPECT_EQ(graph.value(x).type.dtype, DType::kInt8);
  EXPECT_EQ(graph.find_value("y"), kNone);
  EXPECT_EQ(graph.unique_value_name("y"), "y");
  EXPECT_EQ(graph.unique_value_name("x"), "x_1");
  graph.add_value("x_1");
  EXPECT_EQ(graph.unique_value_name("x"), "x_2");
}

TEST(Graph, AConstantHasTheTypeOfItsTensor) {
  GraphBuilder b;
  const ValueId c = b.ints({7, 8, 9}), x = b.input("x", {2});
  EXPECT_EQ(b.graph.value(c).type.dtype, DType::kInt64);
  EXPECT_EQ(b.graph.value(c).type.shape, (std::vector<Dim>{{3, ""}}));
  EXPECT_EQ(b.graph.constant(c)->data<int64_t>()[2], 9);
  EXPECT_EQ(b.graph.constant(x), nullptr);
  EXPECT_EQ(b.graph.constant(kNone), nullptr);
  b.graph.clear_constant(c);
  EXPECT_EQ(b.graph.constant(c), nullptr);
}

TEST(Graph, NodesWithoutANameGetOneFromOperatorAndId) {
  Graph graph;
  graph.add_node({"first", "Relu", "", {}, {}, {}});
  const NodeId unnamed = graph.add_node({"", "Conv", "", {}, {}, {}});
  EXPECT_EQ(graph.node(unnamed).name, "Conv_1");
  EXPECT_EQ(graph.node(unnamed).origins, Names{"Conv_1"});
  const NodeId taken = graph.add_node({"first", "Relu", "", {}, {}, {}});
  EXPECT_EQ(graph.node(taken).name, "first_1");
  // It stands for the name it has, not for that of another node.
  EXPECT_EQ(graph.node(taken).origins, Names{"first_1"});
  EXPECT_EQ(graph.find_node("first"), 0);
  EXPECT_EQ(graph.find_node("first_1"), taken);
  EXPECT_EQ(graph.find_node("Relu"), kNone);
  EXPECT_EQ(graph.unique_node_name("first"), "first_2");
}

TEST(Graph, OriginsThatAreGivenAreKeptAndAddedToOnce) {
  Graph graph;
  const NodeId id = graph.add_node({"n", "Relu", "", {}, {}, {}, {"a", "b"}});
  EXPECT_EQ(graph.node(id).origins, (Names{"a", "b"}));
  graph.add_origins(id, {"b", "c", "c"});
  EXPECT_EQ(graph.node(id).origins, (Names{"a", "b", "c"}));
}

TEST(Graph, ATensorIsComputedOnce) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), y = b.node("first", "Relu", {x}), c = b.scalar(1);
  const auto again = [&](Ids outputs) {
    return message_of([&] { b.graph.add_node({"second", "Relu", "", {x}, std::move(outputs), {}}); });
  };
  EXPECT_EQ(again({y}), "tensor 'first' is computed twice, the second time by node 'second'");
  EXPECT_EQ(again({c}), "tensor 'c' is computed twice, the second time by node 'second'");
  EXPECT_EQ(b.graph.num_nodes(), 1);
  EXPECT_EQ(b.graph.consumers(x), std::vector<NodeId>{0});
  const ValueId twice = b.graph.add_value("twice");
  EXPECT_EQ(again({twice, twice}), "tensor 'twice' is computed twice, the second time by node 'second'");
  // What was refused leaves nothing behind.
  EXPECT_EQ(again({twice, y}), "tensor 'first' is computed twice, the second time by node 'second'");
  EXPECT_EQ(b.graph.producer(twice), kNone);
}

TEST(Graph, ANodeReadsOncePerUse) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1});
  const ValueId square = b.node("square", "Mul", {x, x});
  const ValueId clip = b.node("clip", "Clip", {square, kNone, x});
  EXPECT_EQ(b.graph.consumers(x), (std::vector<NodeId>{0, 0, 1}));
  EXPECT_EQ(b.graph.producer(x), kNone);
  EXPECT_EQ(b.graph.producer(square), 0);
  EXPECT_TRUE(b.graph.has_single_use(square));
  EXPECT_FALSE(b.graph.has_single_use(x));
  EXPECT_FALSE(b.graph.has_single_use(clip));  // none
  b.output(square);
  EXPECT_FALSE(b.graph.has_single_use(square));  // an output, too
  EXPECT_TRUE(b.graph.is_output(square));
  EXPECT_TRUE(b.graph.is_input(x));
  EXPECT_FALSE(b.graph.is_input(square));
  EXPECT_EQ(b.graph.node(1).input(1), kNone);
  EXPECT_EQ(b.graph.node(1).input(3), kNone);
  EXPECT_EQ(b.graph.node(1).output(1), kNone);
}

TEST(Graph, ReplacingUsesTakesInEveryInputAndOutput) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), other = b.input("other", {1});
  b.node("square", "Mul", {x, x});
  b.node("mixed", "Sum", {other, x, other, x});
  b.output(x);
  b.graph.outputs.push_back({"kept", other});
  b.graph.replace_uses(x, other);
  EXPECT_EQ(b.graph.node(0).inputs, (Ids{other, other}));
  EXPECT_EQ(b.graph.node(1).inputs, (Ids{other, other, other, other}));
  EXPECT_TRUE(b.graph.consumers(x).empty());
  EXPECT_EQ(b.graph.consumers(other).size(), 6U);
  // An output keeps its name.
  EXPECT_EQ(b.graph.outputs[0].name, "x");
  EXPECT_EQ(b.graph.outputs[0].value, other);
  EXPECT_EQ(b.graph.outputs[1].value, other);
  b.graph.replace_uses(other, other);
  EXPECT_EQ(b.graph.consumers(other).size(), 6U);
}

TEST(Graph, InputsAreSetAndCutOff) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), y = b.input("y", {1});
  b.node("sum", "Sum", {x, x});
  b.graph.set_input(0, 0, y);
  EXPECT_EQ(b.graph.node(0).inputs, (Ids{y, x}));
  EXPECT_EQ(b.graph.consumers(x), std::vector<NodeId>{0});
  EXPECT_EQ(b.graph.consumers(y), std::vector<NodeId>{0});
  b.graph.set_input(0, 4, x);
  EXPECT_EQ(b.graph.node(0).inputs, (Ids{y, x, kNone, kNone, x}));
  b.graph.set_input(0, 1, kNone);
  EXPECT_EQ(b.graph.consumers(x), std::vector<NodeId>{0});
  b.graph.truncate_inputs(0, 7);
  EXPECT_EQ(b.graph.node(0).inputs.size(), 5U);
  b.graph.truncate_inputs(0, 1);
  EXPECT_EQ(b.graph.node(0).inputs, Ids{y});
  EXPECT_TRUE(b.graph.consumers(x).empty());
  EXPECT_EQ(b.graph.consumers(y), std::vector<NodeId>{0});
}

TEST(Graph, OutputsAreSet) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), old = b.node("topk", "TopK", {x, b.ints({1})});
  const ValueId fresh = b.graph.add_value("fresh"), indices = b.graph.add_value("indices");
  b.graph.set_output(0, 0, fresh);
  EXPECT_EQ(b.graph.producer(old), kNone);
  EXPECT_EQ(b.graph.producer(fresh), 0);
  b.graph.set_output(0, 2, indices);
  EXPECT_EQ(b.graph.node(0).outputs, (Ids{fresh, kNone, indices}));
  EXPECT_EQ(b.graph.producer(indices), 0);
  b.graph.set_output(0, 0, kNone);
  EXPECT_EQ(b.graph.producer(fresh), kNone);
  // What nothing computes any more may be computed by another node.
  b.graph.add_node({"other", "Relu", "", {x}, {fresh}, {}});
  EXPECT_EQ(b.graph.producer(fresh), 1);
}

TEST(Graph, ARemovedNodeIsOutOfEveryList) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), y = b.node("square", "Mul", {x, x});
  b.node("relu", "Relu", {y});
  b.graph.remove_node(0);
  EXPECT_FALSE(b.graph.has_node(0));
  EXPECT_EQ(b.graph.num_nodes(), 1);
  EXPECT_EQ(b.graph.node_limit(), 2);
  EXPECT_EQ(b.graph.find_node("square"), kNone);
  EXPECT_TRUE(b.graph.consumers(x).empty());
  EXPECT_EQ(b.graph.producer(y), kNone);
  EXPECT_EQ(b.graph.consumers(y), std::vector<NodeId>{1});
  // Name and output are free again, the id is not.
  EXPECT_EQ(b.graph.add_node({"square", "Mul", "", {x, x}, {y}, {}}), 2);
  EXPECT_EQ(b.graph.find_node("square"), 2);
}

TEST(Graph, ANodeCanBecomeAnotherOperator) {
  Graph graph;
  const NodeId id = graph.add_node({"n", "Relu", "", {}, {}, {}});
  graph.set_op_type(id, "Table", "twofold");
  EXPECT_TRUE(graph.node(id).is("Table", "twofold"));
  EXPECT_FALSE(graph.node(id).is("Table"));
  graph.set_op_type(id, "Clip");
  EXPECT_TRUE(graph.node(id).is("Clip"));
}

TEST(Graph, OrderIsThatOfInsertionWhereNothingForbids) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1}), late = b.graph.add_value("late");
  b.node("a", "Relu", {x});
  b.node("reader", "Add", {late, late});
  b.node("c", "Relu", {x});
  b.graph.add_node({"writer", "Relu", "", {x}, {late}, {}});
  b.node("e", "Relu", {x});
  // "reader" waits for "writer"; once it is free it comes before "e", which was inserted after it.
  EXPECT_EQ(names_in_order(b.graph), (Names{"a", "c", "writer", "reader", "e"}));
}

TEST(Graph, ACycleHasNoOrder) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1});
  b.node("before", "Relu", {x});
  const ValueId y = b.node("loop", "Relu", {x});
  b.graph.set_input(1, 0, b.node("back", "Relu", {y}));
  EXPECT_EQ(message_of([&] { b.graph.topological_order(); }), "node 'loop' is on a cycle or reads from one");
  // One that reads itself.
  b.graph.set_input(1, 0, y);
  EXPECT_EQ(message_of([&] { b.graph.topological_order(); }), "node 'loop' is on a cycle or reads from one");
  b.graph.set_input(1, 0, x);
  EXPECT_EQ(names_in_order(b.graph), (Names{"before", "loop", "back"}));
}

TEST(Graph, CompactDropsWhatNothingUses) {
  GraphBuilder b;
  b.graph.name = "net";
  b.graph.num_captures = 1;
  b.graph.metadata = {{"author", "me"}};
  b.input("unused input", {3});
  const ValueId x = b.input("x", {1});
  b.scalar(5);  // "c", which nothing reads
  const ValueId late = b.graph.add_value("late"), weight = b.ramp({4});
  b.node("gone", "Relu", {x});
  b.node("reader", "Clip", {late, kNone, weight}, {{"key", int64_t{3}}});
  b.graph.add_node({"writer", "TopK", "", {x}, {kNone, late}, {}, {"w", "v"}});
  b.graph.outputs = {{"result", b.graph.find_value("reader")}, {"same", b.graph.find_value("reader")}};
  b.graph.remove_node(0);
  const std::byte* bytes = b.graph.constant(weight)->bytes();
  const std::string weight_name = b.graph.value(weight).name;

  b.graph.compact();
  const Graph& graph = b.graph;
  EXPECT_EQ(graph.name, "net");
  EXPECT_EQ(graph.num_captures, 1);
  EXPECT_EQ(graph.metadata.at("author"), "me");
  EXPECT_EQ(graph.inputs.size(), 2U);
  EXPECT_EQ(graph.find_value("unused input"), graph.inputs[0]);
  EXPECT_EQ(graph.value(graph.inputs[0]).type.shape, (std::vector<Dim>{{3, ""}}));
  EXPECT_EQ(graph.find_value("x"), graph.inputs[1]);
  EXPECT_EQ(graph.num_values(), 5);  // the inputs, late, reader, its bound
  EXPECT_EQ(graph.find_value("c"), kNone);
  EXPECT_EQ(graph.find_value("gone"), kNone);
  EXPECT_EQ(graph.num_nodes(), 2);
  EXPECT_EQ(graph.node_limit(), 2);
  // Producers stand before consumers now.
  const Node &writer = graph.node(0), &reader = graph.node(1);
  EXPECT_EQ(writer.name, "writer");
  EXPECT_EQ(writer.origins, (Names{"w", "v"}));
  EXPECT_EQ(writer.outputs, (Ids{kNone, graph.find_value("late")}));
  EXPECT_EQ(reader.inputs, (Ids{graph.find_value("late"), kNone, graph.find_value(weight_name)}));
  EXPECT_EQ(reader.attributes.get_int("key"), 3);
  ASSERT_EQ(graph.outputs.size(), 2U);
  EXPECT_EQ(graph.outputs[0].name, "result");
  EXPECT_EQ(graph.outputs[1].name, "same");
  EXPECT_EQ(graph.outputs[1].value, graph.find_value("reader"));
  EXPECT_EQ(graph.constant(graph.find_value(weight_name))->bytes(), bytes);
}

TEST(Graph, CopiesShareBytesAndAreIndependent) {
  GraphBuilder b;
  const ValueId x = b.input("x", {4}), weight = b.ramp({4});
  b.output(b.node("add", "Add", {x, weight}));
  Graph copy = b.graph;
  EXPECT_EQ(copy.constant(weight)->bytes(), b.graph.constant(weight)->bytes());

  copy.set_input(0, 0, weight);
  copy.set_op_type(0, "Mul");
  copy.attributes(0).set("key", int64_t{1});
  copy.add_value("more");
  copy.set_constant(weight, Tensor::from<float>({1}, std::vector<float>{2}));
  copy.outputs.clear();
  EXPECT_EQ(b.graph.node(0).inputs, (Ids{x, weight}));
  EXPECT_EQ(b.graph.consumers(x), std::vector<NodeId>{0});
  EXPECT_EQ(b.graph.node(0).op_type, "Add");
  EXPECT_FALSE(b.graph.node(0).attributes.has("key"));
  EXPECT_EQ(b.graph.find_value("more"), kNone);
  EXPECT_EQ(b.graph.constant(weight)->shape(), Shape{4});
  EXPECT_EQ(constant_floats(b.graph, weight), (std::vector<float>{0.1F, -0.2F, 0.3F, -0.4F}));
  EXPECT_EQ(b.graph.outputs.size(), 1U);
}

}  // namespace
}  // namespace twofold
