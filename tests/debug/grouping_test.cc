// Nodes that are quantized together.
#include "debug/grouping.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

constexpr const char* kConfig = "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}";

TEST(Grouping, FoldersOfANode) {
  EXPECT_EQ(folders_of("/a/b/Conv", 0), "/a/b");
  EXPECT_EQ(folders_of("/a/b/Conv", 1), "/a");
  EXPECT_EQ(folders_of("/a/b/Conv", 2), "/a/b");
  EXPECT_EQ(folders_of("/a/b/Conv", 9), "/a/b");
  EXPECT_EQ(folders_of("a/b/c/Conv", 2), "a/b");
  EXPECT_EQ(folders_of("/Conv", 0), "/");
  EXPECT_EQ(folders_of("Conv", 1), "/");
  EXPECT_EQ(folders_of("", 1), "/");
  EXPECT_EQ(folders_of("a//Conv", 0), "a/");
}

TEST(Grouping, IsReadFromWords) {
  EXPECT_TRUE(std::holds_alternative<ByOpType>(parse_grouping("op_type")));
  EXPECT_EQ(std::get<ByPrefix>(parse_grouping("prefix")).depth, 0);
  EXPECT_EQ(std::get<ByPrefix>(parse_grouping("prefix:3")).depth, 3);
  for (const char* text :
       {"", "ops", "prefix:", "prefix:0", "prefix:-1", "prefix:2x", "prefix: 2", "prefix:99999999999"}) {
    EXPECT_EQ(
        message_of([&] { parse_grouping(text); }),
        "'" + std::string(text) + "' is no grouping; there are op_type, prefix, prefix:<depth> and lists of nodes");
  }
}

std::vector<std::string> names_of(const std::vector<Unit>& units) {
  std::vector<std::string> names;
  for (const Unit& unit : units) names.push_back(unit.name);
  return names;
}

TEST(Grouping, HasEveryOperandOnce) {
  OpenedNetwork opened(kConfig, 2);
  const Graph& graph = opened.model.graph();
  std::set<size_t> all;
  for (const Unit& unit : units_of(graph, opened.plan, UnitKind::kNode)) {
    all.insert(unit.operands.begin(), unit.operands.end());
  }
  for (const Grouping& grouping : {Grouping{ByOpType{}}, Grouping{ByPrefix{}}, Grouping{ByPrefix{2}}}) {
    std::set<size_t> seen;
    for (const Unit& unit : group_units(graph, opened.plan, grouping)) {
      for (const size_t operand : unit.operands) EXPECT_TRUE(seen.insert(operand).second) << unit.name;
    }
    EXPECT_EQ(seen, all);
  }
  EXPECT_EQ(names_of(group_units(graph, opened.plan, ByPrefix{})), std::vector<std::string>{"/"});
}

TEST(Grouping, ByOpTypeIsInTheOrderOfFirstNodes) {
  OpenedNetwork opened(kConfig, 2);
  const std::vector<Unit> groups = group_units(opened.model.graph(), opened.plan, ByOpType{});
  const std::vector<std::string> names = names_of(groups);
  EXPECT_EQ(names.front(), "Conv");
  EXPECT_EQ(names.back(), "Gemm");
  EXPECT_EQ(groups.front().op_type, "Conv");
  EXPECT_EQ(nodes_of(opened.plan, groups.front()), (std::vector<std::string>{"conv1", "conv2", "conv3"}));
}

TEST(Grouping, ListsAreInTheirOrder) {
  OpenedNetwork opened(kConfig, 2);
  const Graph& graph = opened.model.graph();
  const NodeLists lists = {{"gemm", "conv1"}, {"conv2"}};
  const std::vector<Unit> groups = group_units(graph, opened.plan, lists);
  EXPECT_EQ(names_of(groups), (std::vector<std::string>{"gemm+conv1", "conv2"}));
  EXPECT_EQ(groups[0].op_type, "");
  EXPECT_EQ(groups[1].op_type, "Conv");
  EXPECT_EQ(nodes_of(opened.plan, groups[0]), (std::vector<std::string>{"conv1", "gemm"}));
}

TEST(Grouping, NamesAreChecked) {
  OpenedNetwork opened(kConfig, 2);
  const Graph& graph = opened.model.graph();
  check_grouping(graph, ByOpType{});
  check_grouping(graph, NodeLists{{"conv1"}});
  EXPECT_EQ(message_of([&] { check_grouping(graph, NodeLists{{"conv1"}, {}}); }), "a group of nodes is empty");
  EXPECT_EQ(message_of([&] { check_grouping(graph, NodeLists{{"conv9"}}); }),
            "the model has no node 'conv9'; the nearest are 'conv1', 'conv2', 'conv3'");
}

}  // namespace
}  // namespace twofold
