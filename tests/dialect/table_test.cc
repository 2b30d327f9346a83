// Table nodes, and what their kernel makes of every type.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "dialect/malformed.h"
#include "dialect/table_node.h"
#include "engine/executor.h"

namespace twofold {
namespace {

using testing::message_of;

// y = table[x], and what an executor of it gives.
struct Lookup {
  Graph graph;
  NodeId node = kNone;

  explicit Lookup(Tensor table, int64_t least_rank = 0) {
    const ValueId x = graph.add_value("x"), y = graph.add_value("y");
    Node made{.name = "n", .outputs = {y}};
    TableNode{x, graph.add_constant("table", std::move(table)), least_rank}.write(made);
    graph.inputs = {x};
    graph.outputs = {{"y", y}};
    node = graph.add_node(std::move(made));
  }
  Tensor run(const Tensor& x, int threads = 1) const { return Executor(graph, {.threads = threads}).run({x})[0]; }
};

// Entry i is 7 i + 1, modulo the size of the type.
template <typename Y>
Tensor table_of(int64_t size) {
  Tensor table(kDTypeOf<Y>, {size});
  int64_t i = 0;
  for (Y& entry : table.mutable_data<Y>()) entry = static_cast<Y>(7 * i++ + 1);
  return table;
}

template <typename X, typename Y>
void expect_every_entry() {
  constexpr int64_t kCount = int64_t{1} << (8 * sizeof(X));
  Tensor x(kDTypeOf<X>, {kCount});
  int64_t next = 12345;  // in any order
  for (X& value : x.mutable_data<X>()) value = static_cast<X>(next += 4097);
  const Tensor table = table_of<Y>(kCount);
  for (const int threads : {1, 2}) {
    const Tensor y = Lookup(table).run(x, threads);
    ASSERT_EQ(y.dtype(), kDTypeOf<Y>);
    for (size_t i = 0; i < static_cast<size_t>(kCount); ++i) {
      const int64_t entry = int64_t{x.data<X>()[i]} - std::numeric_limits<X>::min();
      ASSERT_EQ(y.data<Y>()[i], static_cast<Y>(7 * entry + 1)) << i;
    }
  }
}

template <typename X>
void expect_every_type() {
  expect_every_entry<X, int8_t>();
  expect_every_entry<X, uint8_t>();
  expect_every_entry<X, int16_t>();
  expect_every_entry<X, uint16_t>();
}

TEST(Table, EntriesAreInAscendingOrder) {
  expect_every_type<int8_t>();
  expect_every_type<uint8_t>();
  expect_every_type<int16_t>();
  expect_every_type<uint16_t>();
}

TEST(Table, LeastRankPutsDimensionsInFront) {
  const Tensor x(DType::kInt8, {2, 3});
  EXPECT_EQ(Lookup(table_of<int8_t>(256), 4).run(x).shape(), (Shape{1, 1, 2, 3}));
  EXPECT_EQ(Lookup(table_of<int8_t>(256), 1).run(x).shape(), (Shape{2, 3}));
}

TEST(Table, NodeIsReadAsItWasWritten) {
  Node node{.name = "n", .outputs = {4}};
  TableNode{6, 2, 3}.write(node);
  EXPECT_TRUE(node.is("Table", "twofold"));
  const TableNode read = TableNode::read(node);
  EXPECT_EQ(read.x, 6);
  EXPECT_EQ(read.table, 2);
  EXPECT_EQ(read.least_rank, 3);
  TableNode{6, 2, 0}.write(node);
  EXPECT_EQ(TableNode::read(node).least_rank, 0);
}

TEST(Table, RefusesNodesThatDoNotFit) {
  Node node{.name = "n", .outputs = {4}};
  TableNode{6, 2, 3}.write(node);
  const auto read = [](const Node& changed) { TableNode::read(changed); };
  testing::expect_refused(
      node,
      {{"the node has 1 inputs, but must have 2", [](Node& changed) { changed.inputs.pop_back(); }},
       {"input 0 is required but missing", [](Node& changed) { changed.inputs[0] = kNone; }},
       {"the node has 2 outputs, but must have 1", [](Node& changed) { changed.outputs.push_back(5); }},
       {"'least_rank' has the value -1", [](Node& changed) { changed.attributes.set("least_rank", int64_t{-1}); }},
       {"'least_rank' has the value 65", [](Node& changed) { changed.attributes.set("least_rank", int64_t{65}); }}},
      read);
  testing::expect_every_attribute_checked(node, read);
}

TEST(Table, RefusesTablesThatDoNotFit) {
  const Tensor x(DType::kUInt8, {3});
  EXPECT_EQ(message_of([&] { Lookup(table_of<uint8_t>(255)).run(x); }), "node 'n' (Table): the table has 255 entries");
  EXPECT_EQ(message_of([&] { Lookup(table_of<uint8_t>(256)).run(Tensor(DType::kInt16, {3})); }),
            "node 'n' (Table): the table has 256 entries");
  EXPECT_NE(message_of([&] { Lookup(table_of<uint8_t>(256)).run(Tensor(DType::kFloat32, {3})); }).find("is float32"),
            std::string::npos);
  EXPECT_NE(message_of([&] { Lookup(table_of<int32_t>(256)).run(x); }).find("not a vector of 8- or 16-bit integers"),
            std::string::npos);
  Lookup computed(table_of<uint8_t>(256));
  computed.graph.set_input(computed.node, 1, computed.graph.inputs[0]);
  EXPECT_NE(message_of([&] { computed.run(x); }).find("the table is not a constant"), std::string::npos);
}

}  // namespace
}  // namespace twofold
