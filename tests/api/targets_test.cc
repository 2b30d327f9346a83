// Targets as programs see them.
#include "twofold/targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/message_of.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;
using Words = std::vector<std::string>;

const OperatorRow& row_of(const TargetReport& report, const std::string& op) {
  return *std::ranges::find_if(report.operators,
                               [&](const OperatorRow& row) { return std::ranges::count(row.ops, op) > 0; });
}

TEST(DescribeTarget, KnowsEveryBuiltInOne) {
  const Words names = target_names();
  EXPECT_EQ(std::ranges::count(names, "cpu"), 1);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  for (const std::string& name : names) {
    const TargetReport report = describe_target(name);
    EXPECT_EQ(report.name, name);
    EXPECT_NE(report.description, "") << name;
    EXPECT_TRUE(report.fallback == "v1" || report.fallback == "v2") << name;
    EXPECT_EQ(report.operators.back().ops, Words{"*"}) << name;
    std::set<std::string> seen;
    for (const OperatorRow& row : report.operators) {
      for (const std::string& op : row.ops) EXPECT_TRUE(seen.insert(op).second) << name << ": " << op << " twice";
      EXPECT_FALSE(row.combinations.empty()) << name;
    }
  }
}

TEST(DescribeTarget, ReadsAFile) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "mine.yaml";
  std::ofstream(path) << R"(
name: mine
description: A small one.
fallback: v1
compiler: {name: my compiler, min_version: "2.5", reason: older ones cannot}
shared_scales: true
epilogues: [Sigmoid]
operators:
  - ops: [Conv, MatMul]
    note: no more
    combinations:
      - {inputs: [int8, int8], cost: 1}
      - {inputs: [int16, ec], outputs: [int16], cost: 2.5}
  - ops: [Reshape]
    combinations: [{each_input: [int8]}]
  - ops: "*"
    combinations: [{each_input: [int8, float32], cost: 4}]
)";
  const TargetReport report = describe_target(path.string());
  EXPECT_EQ(report.name, "mine");
  EXPECT_EQ(report.description, "A small one.");
  EXPECT_EQ(report.fallback, "v1");
  EXPECT_TRUE(report.shared_scales);
  EXPECT_EQ(report.epilogues, Words{"Sigmoid"});
  ASSERT_TRUE(report.compiler.has_value());
  EXPECT_EQ(report.compiler->name, "my compiler");
  EXPECT_EQ(report.compiler->min_version, "2.5");
  EXPECT_EQ(report.compiler->reason, "older ones cannot");
  const OperatorRow& conv = row_of(report, "Conv");
  EXPECT_EQ(conv.note, "no more");
  EXPECT_FALSE(conv.moves_data);
  EXPECT_TRUE(conv.quantized_by_default);
  EXPECT_EQ(&conv, &row_of(report, "MatMul"));
  ASSERT_EQ(conv.combinations.size(), 2U);
  EXPECT_EQ(conv.combinations[0].cost, 1);
  EXPECT_EQ(conv.combinations[1].inputs, (std::vector<Words>{{"int16"}, {"ec"}}));
  EXPECT_EQ(conv.combinations[1].outputs, Words{"int16"});
  EXPECT_EQ(conv.combinations[1].cost, 2.5);
  EXPECT_TRUE(row_of(report, "Reshape").moves_data);
  EXPECT_EQ(report.operators.back().combinations.at(0).inputs, (std::vector<Words>{{"int8", "float32"}}));
}

TEST(DescribeTarget, NamesThoseThatThereAre) {
  const std::string message = message_of([] { describe_target("cqu"); });
  for (const std::string& name : target_names())
    EXPECT_NE(message.find("'" + name + "'"), std::string::npos) << message;
}

}  // namespace
}  // namespace twofold
