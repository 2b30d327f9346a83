#include "plan/graph_rows.h"

#include <gtest/gtest.h>

#include "onnx/import.h"
#include "passes/pipeline.h"
#include "plan/expect_error.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "plan/test_graph.h"
#include "support/source_dir.h"

namespace twofold {
namespace {

// The graph after a way through rows and their JSON.
GraphRows rows_of(const Graph& graph) { return rows_from_json(to_json(rows_from_graph(graph))); }

Graph through_rows(const Graph& graph) { return graph_from_rows(rows_of(graph)); }

// Rows have no weights to make a hash of.
Plan without_contents(Plan plan) {
  EXPECT_FALSE(plan.content_hash.empty());
  plan.content_hash.clear();
  for (NodeFingerprint& node : plan.nodes) node.content.clear();
  return plan;
}

// Configs that ask for what depends on names, types, constants and readers.
const std::vector<std::string> kConfigs = {
    "{}",
    "model_config: {all_node_type: int16, model_output_type: int8}",
    "op_config: {Conv: {qtype: int16-ec}, MatMul: {qtype: dual-int16}, Add: {output0: int16}, Softmax: {qtype: int8}}",
};

void expect_same_plans(const Graph& graph) {
  for (const std::string& text : kConfigs) {
    const QuantConfig config = parse_config(text, "config");
    for (const std::string& target : list_targets()) {
      const Plan expected = without_contents(resolve(graph, config, load_target(target)));
      const Plan plan = resolve_graph_rows(rows_of(graph), config, load_target(target));
      EXPECT_EQ(plan, expected);
      EXPECT_EQ(plan_to_json(plan), plan_to_json(expected)) << target << " " << text;
    }
  }
}

TEST(GraphRows, GiveThePlanOfTheGraph) { expect_same_plans(small_graph()); }

TEST(GraphRows, GiveThePlanOfASimplifiedModel) {
  Graph graph = import_onnx(source_dir() / "examples/digits/digits.onnx");
  run_passes(graph);
  expect_same_plans(graph);
}

// Types that only an attribute that rows leave out, or a declaration, tells.
TEST(GraphRows, KeepTypesThatRowsCannotInfer) {
  GraphMaker maker;
  maker.input("shape", DType::kInt64).input("x", DType::kBool).weight("w");
  maker.node("ConstantOfShape", "fill", {"shape"}, {"f"}).node("Add", "add_integers", {"f", "f"}, {"g"});
  maker.node("If", "choose", {"x"}, {"h"}).node("MatMul", "matmul", {"h", "w"}, {"y"});
  maker.graph.attributes(maker.graph.find_node("fill")).set("value", Tensor::scalar(int64_t{1}));
  maker.graph.set_type(maker.graph.find_value("h"), {DType::kFloat32, std::nullopt});
  maker.output("g").output("y");
  const Plan plan = resolve(through_rows(maker.graph), {}, load_target("cpu"));
  EXPECT_EQ(plan.find("add_integers", OperandRef::input(0)), nullptr);
  EXPECT_EQ(plan.find("matmul", OperandRef::input(0))->granted, QType::kInt8);
  expect_same_plans(maker.graph);
}

TEST(GraphRows, KeepWhatANodeIs) {
  GraphMaker maker;
  maker.input("x").weight("w").node("Gemm", "gemm", {"x", "w", ""}, {"y"}, {"gemm", "relu"}).output("y");
  Attributes& attributes = maker.graph.attributes(maker.graph.find_node("gemm"));
  attributes.set("transB", int64_t{1});
  attributes.set("alpha", 0.5F);
  attributes.set("text", std::string("a \"b\""));
  attributes.set("ints", std::vector<int64_t>{1, -2});
  attributes.set("floats", std::vector<float>{0.5F, 2.0F});
  attributes.set("texts", std::vector<std::string>{"a", "b"});
  const Graph graph = through_rows(maker.graph);
  const Node& node = graph.node(graph.find_node("gemm"));
  EXPECT_EQ(node.origins, (std::vector<std::string>{"gemm", "relu"}));
  EXPECT_EQ(node.inputs.size(), 3U);
  EXPECT_EQ(node.inputs[2], kNone);
  EXPECT_EQ(node.attributes.get_int("transB", 0), 1);
  EXPECT_EQ(node.attributes.get_float("alpha", 1), 0.5F);
  EXPECT_EQ(node.attributes.get_string("text", ""), "a \"b\"");
  EXPECT_EQ(node.attributes.get_ints("ints", {}), (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(node.attributes.get_floats("floats", {}), (std::vector<float>{0.5F, 2.0F}));
  EXPECT_EQ(node.attributes.get_strings("texts", {}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(graph.constant(graph.find_value("w"))->shape(), Shape{});
}

TEST(GraphRows, MayComeInAnyOrder) {
  GraphRows rows;
  rows.inputs = {GraphTensorRow{"x"}};
  rows.constants = {{"w", DType::kFloat32, Shape{4, 4}}};
  rows.outputs = {{"y", "y"}};
  rows.nodes = {{"relu", "Relu", "", {"m"}, {"y"}}, {"matmul", "MatMul", "", {"x", "w"}, {"m"}}};
  const Plan plan = resolve(graph_from_rows(rows), {}, load_target("cpu"));
  ASSERT_FALSE(plan.operands().empty());
  EXPECT_EQ(plan.operands()[0].node, "matmul");
  EXPECT_TRUE(plan.find("matmul", OperandRef::input(1))->is_weight);
}

TEST(GraphRows, ThatAreNoGraphAreRefused) {
  const auto bad = [](const std::string& json, const std::string& message) {
    EXPECT_ERROR(graph_from_rows(rows_from_json(json)), ErrorCode::kInvalidModel, message);
  };
  bad(R"({"nodes": [{"name": "a", "op_type": "Relu", "inputs": ["x"], "outputs": ["y"]}]})",
      "node 'a' (Relu) names tensor 'x', which is no input, no constant and no node's output");
  bad(R"({"outputs": ["y"]})", "output 'y' names tensor 'y'");
  bad(R"({"tensors": [{"name": "t"}]})", "a row of the tensors names tensor 't'");
  bad(R"({"constants": [{"name": "w"}]})", "constant 'w' needs a shape and a type");
  bad(R"({"inputs": [{"dtype": "float32"}]})", "there is a row of the inputs without a name");
  bad(R"({"nodes": [{"name": "a", "op_type": "Relu"}, {"name": "a", "op_type": "Relu"}]})", "'a' is none");
  bad(R"({"nodes": [{"name": "a"}]})", "node 'a' has no operator");
  bad(R"({"inputs": [{"name": "x"}, {"name": "x"}]})", "'x'");
  bad(R"({"nodes": [{"name": "a", "op_type": "Relu", "inputs": ["y"], "outputs": ["y"]}]})", "cycle");
}

TEST(GraphRows, JsonIsCheckedKeyByKey) {
  const auto bad = [](const std::string& json, const std::string& message) {
    EXPECT_ERROR(rows_from_json(json, "rows.json"), ErrorCode::kInvalidArgument, message);
  };
  bad("{", "rows.json: no JSON");
  bad("[]", "rows.json: must be an object");
  bad(R"({"node": []})", "rows.json: node: unknown key; there are inputs, outputs, constants, tensors, nodes");
  bad(R"({"nodes": [{"op": "Relu"}]})", "nodes[0].op: unknown key; there are name, op_type");
  bad(R"({"inputs": [{"name": 1}]})", "inputs[0].name: must be a text");
  bad(R"({"inputs": [{"dtype": "int4"}]})", "inputs[0].dtype: must be float32, ");
  bad(R"({"inputs": [{"shape": [1.5]}]})", "inputs[0].shape[0]: must be an integer");
  bad(R"({"nodes": [{"attributes": {"axis": null}}]})",
      "nodes[0].attributes.axis: must be a number, a text, or a list");
  bad(R"({"nodes": [{"attributes": {"axes": [1, "a"]}}]})", "nodes[0].attributes.axes[1]: must be a number");
}

}  // namespace
}  // namespace twofold
