#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

int rewrites(const std::vector<PassReport>& reports, std::string_view name) {
  const auto report =
      std::find_if(reports.begin(), reports.end(), [name](const PassReport& r) { return r.name == name; });
  return report == reports.end() ? -1 : report->rewrites;
}

// ConvTranspose -> Add -> BatchNormalization -> Mul: each fold makes the next one possible.
TEST(RunPasses, FoldsAChain) {
  GraphBuilder b;
  const ValueId x = b.input("x", {-1, 2, -1, -1});
  const ValueId up = b.node("up", "ConvTranspose", {x, b.ramp({2, 3, 2, 2})});
  const ValueId biased = b.node("add", "Add", {up, b.floats({1, 3, 1, 1}, {1, 2, 3})});
  const ValueId normalized = b.node("bn", "BatchNormalization",
                                    {biased, b.floats({3}, {1, 2, 3}), b.floats({3}, {3, 2, 1}),
                                     b.floats({3}, {0.1F, 0.2F, 0.3F}), b.floats({3}, {1, 4, 9})});
  const ValueId scaled = b.node("mul", "Mul", {b.floats({1}, {0.5F}), normalized});
  b.output(b.node("out", "Identity", {b.node("relu", "Relu", {scaled})}));
  const Graph before = b.graph;
  const std::vector<PassReport> reports = run_passes(b.graph);
  expect_same_results(before, b.graph);
  EXPECT_EQ(ops(b.graph), "ConvTranspose Relu");
  EXPECT_EQ(b.graph.node(b.graph.find_node("up")).origins, (std::vector<std::string>{"up", "add", "bn", "mul"}));
  EXPECT_EQ(b.graph.outputs[0].name, "out");
  EXPECT_EQ(rewrites(reports, "fold_bias"), 1);
  EXPECT_EQ(rewrites(reports, "fold_batch_norm"), 1);
  EXPECT_EQ(rewrites(reports, "fold_scale"), 1);
  EXPECT_EQ(rewrites(reports, "remove_identity"), 1);
  EXPECT_EQ(rewrites(reports, "fuse_gelu"), 0);
}

TEST(RunPasses, TakesTheThreeOfAHardSwishForWhatItIs) {
  GraphBuilder b;
  const ValueId x = b.node("conv", "Conv", {b.input("x", {1, 1, 3, 3}), b.ramp({2, 1, 1, 1})});
  const ValueId clip = b.node("clip", "Clip", {b.node("add", "Add", {x, b.scalar(3)}), b.scalar(0), b.scalar(6)});
  b.output(b.node("div", "Div", {clip, b.scalar(6)}));
  run_passes(b.graph);
  EXPECT_EQ(ops(b.graph), "Conv HardSigmoid");
}

TEST(RunPasses, SimplifiesBodies) {
  auto body = [](const char* op) {
    GraphBuilder b;
    b.output(b.node("out", op, {b.node("identity", "Identity", {b.input("captured", {1})})}));
    b.graph.num_captures = 1;
    return std::make_shared<const Graph>(b.graph);
  };
  GraphBuilder b;
  const ValueId condition = b.input("condition", {}, DType::kBool);
  b.output(b.node("if", "If", {condition, b.input("x", {1})},
                  {{"then_branch", body("Relu")}, {"else_branch", body("Sigmoid")}}));
  EXPECT_EQ(rewrites(run_passes(b.graph), "remove_identity"), 2);
  const Attributes& attributes = b.graph.node(b.graph.find_node("if")).attributes;
  EXPECT_EQ(ops(*attributes.get_graph("then_branch")), "Relu");
  EXPECT_EQ(ops(*attributes.get_graph("else_branch")), "Sigmoid");
}

TEST(RunPasses, LeavesAQuantizedGraphAlone) {
  GraphBuilder b;
  const ValueId scale = b.scalar(0.1F), zero = b.graph.add_constant("zero", Tensor::scalar(int8_t{0}));
  const ValueId q = b.node("q", "QuantizeLinear", {b.input("x", {1, 1, 3, 3}), scale, zero});
  const ValueId w = b.node("wq", "QuantizeLinear", {b.ramp({2, 1, 1, 1}), scale, zero});
  b.output(b.node(
      "conv", "Conv",
      {b.node("dq", "DequantizeLinear", {q, scale, zero}), b.node("wdq", "DequantizeLinear", {w, scale, zero})}));
  for (const PassReport& report : run_passes(b.graph)) EXPECT_EQ(report.rewrites, 0) << report.name;
}

}  // namespace
}  // namespace twofold
