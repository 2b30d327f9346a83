// Whatever is done to a graph in whatever order: its edges are those that a scan of its nodes finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "graph/graph.h"
#include "twofold/error.h"

namespace twofold {
namespace {

class RandomEdits {
 public:
  explicit RandomEdits(unsigned seed) : random_(seed) {}

  void edit() {
    switch (random_() % 12) {
      case 0: add_value(); break;
      case 1: graph_.add_constant(graph_.unique_value_name("c"), Tensor::scalar(1.0F)); break;
      case 2:
      case 3: add_node(); break;
      case 4: at_node([&](NodeId id) { graph_.remove_node(id); }); break;
      case 5:
      case 6: at_node([&](NodeId id) { graph_.set_input(id, below(5), any_or_none()); }); break;
      case 7: at_node([&](NodeId id) { graph_.set_output(id, below(3), writable_or_none()); }); break;
      case 8: at_node([&](NodeId id) { graph_.truncate_inputs(id, below(5)); }); break;
      case 9: replace_uses(); break;
      case 10: graph_ = Graph(graph_); break;
      default: compact(); break;
    }
  }

  void expect_edges_of_a_scan() const {
    std::vector<NodeId> producers(count(), kNone);
    std::vector<std::vector<NodeId>> consumers(count());
    int nodes = 0;
    for (NodeId id = 0; id < graph_.node_limit(); ++id) {
      if (!graph_.has_node(id)) continue;
      ++nodes;
      const Node& node = graph_.node(id);
      EXPECT_EQ(graph_.find_node(node.name), id);
      for (const ValueId input : node.inputs) {
        if (input != kNone) consumers[static_cast<size_t>(input)].push_back(id);
      }
      for (const ValueId output : node.outputs) {
        if (output != kNone) producers[static_cast<size_t>(output)] = id;
      }
    }
    EXPECT_EQ(graph_.num_nodes(), nodes);
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      EXPECT_EQ(graph_.find_value(graph_.value(id).name), id);
      EXPECT_EQ(graph_.producer(id), producers[static_cast<size_t>(id)]);
      std::vector<NodeId> known = graph_.consumers(id);
      std::ranges::sort(known);
      EXPECT_EQ(known, consumers[static_cast<size_t>(id)]);
    }
  }

  // The next one is always the first of those that read nothing that is still to come.
  void expect_the_first_order() const {
    std::vector<NodeId> expected;
    std::vector<bool> placed(static_cast<size_t>(graph_.node_limit()), false);
    const auto is_free = [&](NodeId id) {
      if (!graph_.has_node(id) || placed[static_cast<size_t>(id)]) return false;
      return std::ranges::all_of(graph_.node(id).inputs, [&](ValueId input) {
        if (input == kNone) return true;
        const NodeId producer = graph_.producer(input);
        return producer == kNone || placed[static_cast<size_t>(producer)];
      });
    };
    for (NodeId id = 0; id < graph_.node_limit();) {
      if (!is_free(id)) {
        ++id;
        continue;
      }
      expected.push_back(id);
      placed[static_cast<size_t>(id)] = true;
      id = 0;
    }
    EXPECT_EQ(order(),
              static_cast<int>(expected.size()) == graph_.num_nodes() ? std::optional(expected) : std::nullopt);
  }

 private:
  // Nodes by name with the names of what they read and write.
  std::vector<std::string> described() const {
    std::vector<std::string> lines;
    for (NodeId id = 0; id < graph_.node_limit(); ++id) {
      if (!graph_.has_node(id)) continue;
      const Node& node = graph_.node(id);
      std::string line = node.name;
      for (const auto* list : {&node.inputs, &node.outputs}) {
        line += ":";
        for (const ValueId value : *list) line += " " + (value == kNone ? "-" : graph_.value(value).name);
      }
      lines.push_back(line);
    }
    std::ranges::sort(lines);
    return lines;
  }

  std::optional<std::vector<NodeId>> order() const {
    try {
      return graph_.topological_order();
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void compact() {
    if (!order()) return;
    const std::vector<std::string> before = described();
    graph_.compact();
    EXPECT_EQ(described(), before);
    EXPECT_EQ(graph_.node_limit(), graph_.num_nodes());
    for (NodeId id = 0; id < graph_.node_limit(); ++id) EXPECT_EQ((*order())[static_cast<size_t>(id)], id);
  }

  void add_value() { graph_.add_value(graph_.unique_value_name("v")); }

  void add_node() {
    Node node{random_() % 2 == 0 ? "n" : "", "Op", "", {}, {}, {}};
    for (int i = below(4); i > 0; --i) node.inputs.push_back(any_or_none());
    for (int i = below(3); i > 0; --i) {
      const ValueId output = writable_or_none();
      if (output == kNone || std::ranges::count(node.outputs, output) == 0) node.outputs.push_back(output);
    }
    graph_.add_node(std::move(node));
  }

  void replace_uses() {
    if (graph_.num_values() == 0) return;
    graph_.replace_uses(below(graph_.num_values()), below(graph_.num_values()));
  }

  template <typename Action>
  void at_node(const Action& action) {
    if (graph_.node_limit() == 0) return;
    if (const NodeId id = below(graph_.node_limit()); graph_.has_node(id)) action(id);
  }

  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  ValueId any_or_none() { return graph_.num_values() == 0 || below(8) == 0 ? kNone : below(graph_.num_values()); }
  ValueId writable_or_none() {
    const ValueId id = any_or_none();
    return id != kNone && graph_.producer(id) == kNone && graph_.constant(id) == nullptr ? id : kNone;
  }
  size_t count() const { return static_cast<size_t>(graph_.num_values()); }

  std::mt19937 random_;
  Graph graph_;
};

TEST(RandomEdits, KeepEdgesAndOrder) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    RandomEdits edits(seed);
    for (int i = 0; i < 150; ++i) {
      edits.edit();
      edits.expect_edges_of_a_scan();
      edits.expect_the_first_order();
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", edit " << i;
    }
  }
}

}  // namespace
}  // namespace twofold
