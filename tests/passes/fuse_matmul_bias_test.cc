#include "passes/fuse_matmul_bias.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

TEST(FuseMatmulBias, MakesAGemmOfAMatrix) {
  GraphBuilder b;
  const ValueId y = b.node("mm", "MatMul", {b.input("x", {-1, 2}), b.ramp({2, 3})});
  b.output(b.node("add", "Add", {b.floats({3}, {1, 2, 3}), y}));
  run_and_compare(b.graph, fuse_matmul_bias, 1);
  ASSERT_EQ(ops(b.graph), "Gemm");
  const Node& gemm = b.graph.node(b.graph.find_node("mm"));
  EXPECT_EQ(constant_floats(b.graph, gemm.input(2)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(gemm.origins, (std::vector<std::string>{"mm", "add"}));
}

TEST(FuseMatmulBias, RefusesOtherRanksAndSecondUses) {
  GraphBuilder batch, unknown, used;
  batch.output(batch.node(
      "add", "Add", {batch.node("mm", "MatMul", {batch.input("x", {2, 2, 2}), batch.ramp({2, 3})}), batch.ramp({3})}));
  EXPECT_EQ(fuse_matmul_bias(batch.graph), 0);
  const ValueId x = unknown.input_of_unknown_rank("x");
  unknown.output(
      unknown.node("add", "Add", {unknown.node("mm", "MatMul", {x, unknown.ramp({2, 3})}), unknown.ramp({3})}));
  EXPECT_EQ(fuse_matmul_bias(unknown.graph), 0);
  const ValueId y = used.node("mm", "MatMul", {used.input("x", {2, 2}), used.ramp({2, 3})});
  used.output(used.node("add", "Add", {y, used.ramp({3})}));
  used.output(y);
  EXPECT_EQ(fuse_matmul_bias(used.graph), 0);
  EXPECT_EQ(ops(used.graph), "MatMul Add");
}

}  // namespace
}  // namespace twofold
