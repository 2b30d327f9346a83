#include "passes/pass_list.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "passes/graph_builder.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {
namespace {

Graph relu() {
  GraphBuilder b;
  b.output(b.node("relu", "Relu", {b.input("x", {2})}));
  return b.graph;
}

// Leaves a node that reads what nothing computes, and says that it made `rewrites` changes.
Pass breaking(int rewrites) {
  return {"break_graph", [rewrites](Graph& graph) {
            graph.set_input(graph.find_node("relu"), 0, graph.add_value("nothing"));
            return rewrites;
          }};
}

TEST(PassList, RunsEachOnceInOrderAndAddsUp) {
  std::string ran;
  const auto pass = [&ran](const char* name, int rewrites) -> Pass {
    return {name, [&ran, name, rewrites](Graph&) {
              ran += name;
              return rewrites;
            }};
  };
  const std::vector<Pass> passes = {pass("b", 2), pass("a", 0), pass("b", 3)};
  Graph graph = relu();
  std::vector<PassReport> reports = new_reports(passes);
  EXPECT_EQ(run_each_once(passes, graph, reports), 5);
  EXPECT_EQ(run_each_once(passes, graph, reports), 5);
  EXPECT_EQ(ran, "babbab");
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0].name, "b");
  EXPECT_EQ(reports[0].rewrites, 4);
  EXPECT_EQ(reports[1].name, "a");
  EXPECT_EQ(reports[1].rewrites, 0);
  EXPECT_EQ(reports[2].rewrites, 6);
  for (const PassReport& report : reports) EXPECT_GT(report.seconds, 0) << report.name;
}

TEST(PassList, VerifiesWhatAPassChanged) {
  const auto run = [](std::vector<Pass> passes) {
    return testing::message_of([&] {
      Graph graph = relu();
      std::vector<PassReport> reports = new_reports(passes);
      run_each_once(passes, graph, reports);
    });
  };
  const std::string message = run({{"remove_dead_nodes", remove_dead_nodes}, breaking(1)});
  EXPECT_EQ(message, "after pass break_graph: node 'relu' reads tensor 'nothing', which nothing computes");
  // What changed nothing is not looked at.
  EXPECT_EQ(run({breaking(0)}), "nothing thrown");
}

}  // namespace
}  // namespace twofold
