// The plan of a graph that is no file.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "api/quantized_digits.h"
#include "base/files.h"
#include "base/message_of.h"
#include "twofold/error.h"
#include "twofold/graph_rows.h"

namespace twofold {
namespace {

using Json = nlohmann::json;
using ::twofold::testing::message_of;

// x [n,8] -> product (w [8,4]) -> activation -> y.
GraphRows product_rows() {
  GraphRows rows;
  rows.inputs = {{.name = "x", .shape = Shape{-1, 8}}};
  rows.constants = {{.name = "w", .shape = Shape{8, 4}}};
  rows.outputs = {{"y", "y"}};
  rows.nodes = {{.name = "product", .op_type = "MatMul", .inputs = {"x", "w"}, .outputs = {"p"}, .origins = {"linear"}},
                {.name = "activation", .op_type = "Relu", .inputs = {"p"}, .outputs = {"y"}}};
  return rows;
}

ResolveRequest asking(const std::string& config) {
  ResolveRequest request;
  request.config.text = config;
  return request;
}

std::string granted(const std::string& plan, const std::string& node, const std::string& operand) {
  const Json json = Json::parse(plan);
  for (const Json& row : json["operands"]) {
    if (row["node"] == node && row["operand"] == operand) return row["granted"];
  }
  return "none";
}

// Of the plan that quantize() writes, all that data and weights do not decide.
TEST(ResolveRows, GiveThePlanThatQuantizeWrites) {
  const GraphRows rows = rows_from_json(to_json(simplified_rows(kDigitsModel)));
  const Json resolved = Json::parse(resolve_rows(rows, {.config = mixed_options().config}));
  const Json made = Json::parse(read_text_file(quantized_digits().plan));
  for (const char* key : {"model_hash", "target", "policy", "activation_format", "notes", "unmet"}) {
    EXPECT_EQ(resolved[key], made[key]) << key;
  }
  ASSERT_EQ(resolved["operands"].size(), made["operands"].size());
  for (size_t i = 0; i < made["operands"].size(); ++i) {
    Json expected = made["operands"][i];
    for (const char* key : {"params", "threshold", "method", "bias_shift"}) expected.erase(key);
    EXPECT_EQ(resolved["operands"][i], expected);
  }
}

TEST(ResolveRows, FindNodesByTheirOrigins) {
  const std::string plan = resolve_rows(product_rows(), asking("node_config: {linear: {input0: int16}}"));
  EXPECT_EQ(granted(plan, "product", "input0"), "int16");
  EXPECT_EQ(granted(plan, "product", "input1"), "int8");
  EXPECT_EQ(granted(resolve_rows(product_rows()), "product", "input0"), "int8");
}

TEST(ResolveRows, ReadTheConfigFromAFile) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "c.yaml") << "node_config: {product: {input0: int16}}";
  ResolveRequest request;
  request.config.path = folder.path() / "c.yaml";
  EXPECT_EQ(granted(resolve_rows(product_rows(), request), "product", "input0"), "int16");
}

TEST(ResolveRows, TakeTheTargetAndItsCompiler) {
  ResolveRequest request;
  request.target = "journey6-oe3.2";
  request.compiler_version = "4.3.3";
  const Json plan = Json::parse(resolve_rows(product_rows(), request));
  EXPECT_EQ(plan["target"], "journey6-oe3.2");
  EXPECT_EQ(plan["compiler_version"], "4.3.3");
  request.compiler_version = "4.3.2";
  const std::string message = message_of([&] { resolve_rows(product_rows(), request); });
  EXPECT_EQ(message.find("target 'journey6-oe3.2' needs "), 0U) << message;
  EXPECT_NE(message.find(" 4.3.3 or newer, not 4.3.2"), std::string::npos) << message;
  request.target = "journey";
  EXPECT_NE(message_of([&] { resolve_rows(product_rows(), request); }).find("'journey6-oe3.2'"), std::string::npos);
}

TEST(ResolveRows, RefuseWhatIsNotMetWhereTheyAreStrict) {
  ResolveRequest request = asking("node_config: {product: {qtype: dual-int16}}");
  request.target = "journey6-oe3.1";
  EXPECT_NE(Json::parse(resolve_rows(product_rows(), request)).dump().find("reason"), std::string::npos);
  request.strict = true;
  try {
    resolve_rows(product_rows(), request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("node 'product' (MatMul)"), std::string::npos) << error.what();
  }
}

TEST(ResolveRows, LetAConfigNameNodesThatAreGone) {
  ResolveRequest request = asking("node_config: {removed: {qtype: int16}}");
  EXPECT_NE(message_of([&] { resolve_rows(product_rows(), request); }).find("the model has no node 'removed'"),
            std::string::npos);
  request.input_file_nodes = {"removed"};
  const Json plan = Json::parse(resolve_rows(product_rows(), request));
  EXPECT_NE((plan["notes"].dump() + plan["unmet"].dump()).find("removed"), std::string::npos);
}

}  // namespace
}  // namespace twofold
