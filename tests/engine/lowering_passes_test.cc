#include "engine/qdq_builder.h"

namespace twofold {
namespace {

std::vector<std::string> names(const Lowering& lowering) {
  std::vector<std::string> result;
  for (const PassReport& pass : lowering.passes) result.emplace_back(pass.name);
  return result;
}

// "name rewrites" of the passes that did something.
std::vector<std::string> changes(const Lowering& lowering) {
  std::vector<std::string> result;
  for (const PassReport& pass : lowering.passes) {
    if (pass.rewrites > 0) result.push_back(std::string(pass.name) + " " + std::to_string(pass.rewrites));
  }
  return result;
}

TEST(LoweringPasses, ReportWhatEachDid) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 8, 6, 6}), 0.02F);
  const ValueId turned = b.node("turned", "Transpose", {x}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const ValueId conv = b.edge(b.node("conv", "Conv", {turned, b.weight({8, 8, 1, 1}, 0.01F)}), 0.05F);
  const ValueId relu = b.edge(b.node("relu", "Relu", {conv}), 0.05F);
  b.output(b.edge(b.node("softmax", "Softmax", {relu}), 0.01F));
  Graph lowered = b.graph;
  const Lowering lowering = lower(lowered);
  // Dead then: the DequantizeLinear of x, of the weights, of `turned`, and those around the Relu that became a table.
  EXPECT_EQ(changes(lowering), (std::vector<std::string>{"sink_dequantize 1", "lower_gemms 1", "lower_elementwise 1",
                                                         "remove_dead_nodes 4", "fold_clamps 1", "wrap_quantized 1",
                                                         "remove_dead_nodes 1"}));
  verify(lowered);
  EXPECT_EQ(ops(lowered), "QuantizeLinear Transpose IntegerConv Softmax DequantizeLinear");
}

TEST(LoweringPasses, AreTheSameListWhateverTheyFind) {
  GraphBuilder b;
  b.output(b.node("relu", "Relu", {b.input("x", {2})}));
  const Lowering lowering = lower(b.graph);
  EXPECT_EQ(names(lowering),
            (std::vector<std::string>{"fold_quantized_constants", "merge_ec_terms", "hold_watched", "sink_dequantize",
                                      "lower_gemms", "lower_recurrent", "lower_elementwise", "merge_tables",
                                      "remove_dead_nodes", "fuse_elementwise", "hoist_tables", "fold_clamps",
                                      "fold_dequantized_constants", "wrap_quantized", "remove_dead_nodes",
                                      "release_watched"}));
  EXPECT_TRUE(changes(lowering).empty());
}

}  // namespace
}  // namespace twofold
