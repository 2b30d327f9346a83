#include "passes/fold_batch_norm.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

// gamma {2, 3}, beta {1, -1}, mean {4, 0.5}, var {0.75, 3.75} with epsilon 0.25: s = {2, 1.5}, shift = {-7, -1.75}.
ValueId batch_norm(GraphBuilder& b, ValueId x) {
  return b.node(
      "bn", "BatchNormalization",
      {x, b.floats({2}, {2, 3}), b.floats({2}, {1, -1}), b.floats({2}, {4, 0.5}), b.floats({2}, {0.75, 3.75})},
      {{"epsilon", 0.25F}});
}

TEST(FoldBatchNorm, MakesABiasAndKeepsNames) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 4, 4});
  const ValueId w = b.floats({2, 1, 1, 2}, {1, 2, 3, 4});
  b.output(batch_norm(b, b.node("conv", "Conv", {x, w})));
  run_and_compare(b.graph, fold_batch_norm, 1);
  ASSERT_EQ(ops(b.graph), "Conv");
  const Node& conv = b.graph.node(b.graph.find_node("conv"));
  EXPECT_EQ(b.graph.value(conv.outputs[0]).name, "bn");
  EXPECT_EQ(conv.origins, (std::vector<std::string>{"conv", "bn"}));
  EXPECT_EQ(constant_floats(b.graph, conv.inputs[1]), (std::vector<float>{2, 4, 4.5, 6}));
  EXPECT_EQ(constant_floats(b.graph, conv.inputs[2]), (std::vector<float>{-7, -1.75}));
}

TEST(FoldBatchNorm, ExtendsABias) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 4, 4});
  const ValueId w = b.floats({2, 1, 1, 1}, {1, 2});
  b.output(batch_norm(b, b.node("conv", "Conv", {x, w, b.floats({2}, {10, 20})})));
  run_and_compare(b.graph, fold_batch_norm, 1);
  const Node& conv = b.graph.node(b.graph.find_node("conv"));
  EXPECT_EQ(constant_floats(b.graph, conv.inputs[2]), (std::vector<float>{13, 28.25}));
}

TEST(FoldBatchNorm, FindsTheChannelsOfAGroupedConvTranspose) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 4, 4, 4});
  // Two groups of one channel each: rows 0 and 1 give channel 0, rows 2 and 3 channel 1.
  const ValueId w = b.floats({4, 1, 1, 1}, {1, 2, 3, 4});
  b.output(batch_norm(b, b.node("conv", "ConvTranspose", {x, w}, {{"group", int64_t{2}}})));
  run_and_compare(b.graph, fold_batch_norm, 1);
  const Node& conv = b.graph.node(b.graph.find_node("conv"));
  EXPECT_EQ(constant_floats(b.graph, conv.inputs[1]), (std::vector<float>{2, 4, 4.5, 6}));
}

TEST(FoldBatchNorm, FoldsIntoGemmWithBetaAndAScalarBias) {
  GraphBuilder b;
  const ValueId x = b.input("x", {-1, 2});
  const ValueId w = b.floats({2, 2}, {1, 2, 3, 4});
  b.output(batch_norm(b, b.node("gemm", "Gemm", {x, w, b.scalar(3)}, {{"beta", 2.0F}, {"alpha", 0.5F}})));
  run_and_compare(b.graph, fold_batch_norm, 1);
  const Node& gemm = b.graph.node(b.graph.find_node("gemm"));
  EXPECT_EQ(constant_floats(b.graph, gemm.inputs[1]), (std::vector<float>{2, 3, 6, 6}));
  EXPECT_EQ(constant_floats(b.graph, gemm.inputs[2]), (std::vector<float>{5, 7.25}));
  EXPECT_EQ(gemm.attributes.get_float("beta", 1), 1.0F);
  EXPECT_EQ(gemm.attributes.get_float("alpha", 1), 0.5F);
}

TEST(FoldBatchNorm, CopiesASharedWeight) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 4, 4});
  const ValueId w = b.floats({2, 1, 1, 1}, {1, 2});
  b.output(batch_norm(b, b.node("conv", "Conv", {x, w})));
  b.output(b.node("other", "Conv", {x, w}));
  run_and_compare(b.graph, fold_batch_norm, 1);
  EXPECT_EQ(constant_floats(b.graph, w), (std::vector<float>{1, 2}));
  const Node& conv = b.graph.node(b.graph.find_node("conv"));
  EXPECT_EQ(constant_floats(b.graph, conv.inputs[1]), (std::vector<float>{2, 3}));
}

TEST(FoldBatchNorm, RefusesASecondUseAnOutputAndTraining) {
  GraphBuilder used;
  ValueId conv = used.node("conv", "Conv", {used.input("x", {1, 1, 4, 4}), used.floats({2, 1, 1, 1}, {1, 2})});
  used.output(batch_norm(used, conv));
  used.output(used.node("relu", "Relu", {conv}));
  EXPECT_EQ(fold_batch_norm(used.graph), 0);

  GraphBuilder output;
  conv = output.node("conv", "Conv", {output.input("x", {1, 1, 4, 4}), output.floats({2, 1, 1, 1}, {1, 2})});
  output.output(batch_norm(output, conv));
  output.output(conv);
  EXPECT_EQ(fold_batch_norm(output.graph), 0);

  GraphBuilder training;
  conv = training.node("conv", "Conv", {training.input("x", {1, 1, 4, 4}), training.floats({2, 1, 1, 1}, {1, 2})});
  training.output(batch_norm(training, conv));
  training.graph.attributes(training.graph.find_node("bn")).set("training_mode", int64_t{1});
  EXPECT_EQ(fold_batch_norm(training.graph), 0);
}

TEST(FoldBatchNorm, RefusesMatMulAndResultsThatAreNotFinite) {
  GraphBuilder matmul;
  matmul.output(batch_norm(
      matmul, matmul.node("mm", "MatMul", {matmul.input("x", {1, 2, 2}), matmul.floats({2, 2}, {1, 2, 3, 4})})));
  EXPECT_EQ(fold_batch_norm(matmul.graph), 0);

  GraphBuilder huge;
  huge.output(batch_norm(
      huge, huge.node("conv", "Conv", {huge.input("x", {1, 1, 4, 4}), huge.floats({2, 1, 1, 1}, {3e38F, 1})})));
  EXPECT_EQ(fold_batch_norm(huge.graph), 0);
  EXPECT_EQ(ops(huge.graph), "Conv BatchNormalization");
}

}  // namespace
}  // namespace twofold
