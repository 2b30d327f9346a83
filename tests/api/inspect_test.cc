// What a model holds, counted by hand, and how a quantized one runs, against its plan.
#include "twofold/inspect.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "api/quantized_digits.h"
#include "base/message_of.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/plan.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;
using Names = std::vector<std::string>;

class InspectSmallModel : public ::testing::Test {
 protected:
  InspectReport inspected(const Graph& graph) const {
    export_onnx(graph, path_);
    return inspect(path_);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "m.onnx";
};

TEST_F(InspectSmallModel, HasNodesAsInTheFileAndAsTheyAreQuantized) {
  GraphBuilder b;
  const ValueId x = b.input("x", {-1, 2, 4, 4});
  const ValueId conv = b.node("conv", "Conv", {x, b.ramp({3, 2, 1, 1})});
  const ValueId norm = b.node("norm", "BatchNormalization",
                              {conv, b.floats({3}, {1, 2, 3}), b.ramp({3}), b.ramp({3}), b.floats({3}, {1, 1, 1})});
  b.output(b.node("relu", "Relu", {norm}));
  const InspectReport report = inspected(b.graph);
  EXPECT_EQ(report.model, path_);
  EXPECT_EQ(report.file_bytes, std::filesystem::file_size(path_));
  EXPECT_EQ(report.parameters, 3U * 2 + 4 * 3);
  ASSERT_EQ(report.inputs.size(), 1U);
  EXPECT_EQ(report.inputs[0].shape, (Shape{-1, 2, 4, 4}));
  ASSERT_EQ(report.outputs.size(), 1U);
  EXPECT_EQ(report.outputs[0].name, "relu");
  EXPECT_TRUE(report.unsupported.empty());

  ASSERT_EQ(report.nodes.size(), 3U);
  EXPECT_EQ(report.nodes[0].name, "conv");
  EXPECT_EQ(report.nodes[0].op_type, "Conv");
  EXPECT_EQ(report.nodes[0].inputs, (Names{"x", "c"}));
  EXPECT_EQ(report.nodes[0].outputs, Names{"conv"});
  EXPECT_EQ(report.nodes[1].origins, Names{"norm"});
  // The normalization goes into the convolution, which stands for both.
  ASSERT_EQ(report.simplified.size(), 2U);
  EXPECT_EQ(report.simplified[0].name, "conv");
  EXPECT_EQ(report.simplified[0].origins, (Names{"conv", "norm"}));
  EXPECT_EQ(report.simplified[1].name, "relu");
  int folded = 0;
  for (const PassRow& row : report.passes) {
    if (row.pass.find("batch_norm") != std::string::npos) folded += row.rewrites;
  }
  EXPECT_EQ(folded, 1);
  // Nothing is quantized.
  for (const LoweredRow& row : report.lowered) EXPECT_EQ(row.kind, "float") << row.name;
}

TEST_F(InspectSmallModel, StopsAtOperatorsThatAreNotThere) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1});
  b.output(b.node("b", "NoSuchOp", {b.node("a", "Relu", {x})}));
  const InspectReport report = inspected(b.graph);
  ASSERT_EQ(report.unsupported.size(), 1U);
  EXPECT_NE(report.unsupported[0].find("NoSuchOp"), std::string::npos) << report.unsupported[0];
  EXPECT_EQ(report.nodes.size(), 2U);
  EXPECT_TRUE(report.simplified.empty());
  EXPECT_TRUE(report.lowered.empty());
}

// As many passes as there are pairs of digits: two for one ec operand, four for two.
TEST(InspectQuantized, SaysInHowManyPassesEcOperandsRun) {
  std::map<std::string, int> expected;
  for (const PlanOperandRow& row : describe_plan(quantized_digits().plan).operands) {
    if (row.granted == "ec") expected[row.node] = expected.contains(row.node) ? 4 : 2;
  }
  ASSERT_EQ(expected.at("/edges/Conv"), 2);
  ASSERT_EQ(expected.at("/attention/MatMul"), 4);
  for (const bool in_two_passes : {false, true}) {
    std::map<std::string, int> found;
    for (const LoweredRow& row : inspect(quantized_digits().model, {.ec_in_two_passes = in_two_passes}).lowered) {
      if (row.ec_passes == 1) continue;
      EXPECT_EQ(row.kind, "integer");
      for (const std::string& origin : row.origins) {
        if (expected.contains(origin)) found[origin] = row.ec_passes;
      }
    }
    EXPECT_EQ(found, in_two_passes ? expected : (std::map<std::string, int>{}));
  }
}

TEST(SplitModel, WritesTwoTermsAndTheirSum) {
  const TemporaryFolder folder;
  const std::filesystem::path split = folder.path() / "split.onnx";
  split_model(kDigitsModel, {"/edges/Conv"}, split);
  const std::vector<NodeRow> before = inspect(kDigitsModel).nodes, after = inspect(split).nodes;
  EXPECT_EQ(after.size(), before.size() + 2);
  std::set<std::string> added;
  for (const NodeRow& row : after) added.insert(row.name);
  for (const NodeRow& row : before) added.erase(row.name);
  EXPECT_EQ(added, (std::set<std::string>{"/edges/Conv_residual", "/edges/Conv_sum"}));
  const Session whole(kDigitsModel, {.threads = 1}), terms(split, {.threads = 1});
  const Tensor a = whole.run({images(2, 1)})[0], b = terms.run({images(2, 1)})[0];
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(a.data<float>()[i], b.data<float>()[i], 1e-3);
}

TEST(SplitModel, NamesTheNodeThatIsNotThereAndWritesNothing) {
  const TemporaryFolder folder;
  const std::string message =
      message_of([&] { split_model(kDigitsModel, {"/edge/Conv"}, folder.path() / "split.onnx"); });
  EXPECT_NE(message.find("'/edge/Conv'"), std::string::npos) << message;
  EXPECT_NE(message.find("'/edges/Conv'"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace twofold
