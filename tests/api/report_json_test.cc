// Reports as JSON: the same numbers to the bit, and words where JSON has none.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/quantized_digits.h"
#include "twofold/bench.h"
#include "twofold/calibrate_costs.h"
#include "twofold/inspect.h"
#include "twofold/run.h"
#include "twofold/targets.h"
#include "twofold/verify.h"

namespace twofold {
namespace {

using Json = nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Numbers that a writer of too few digits would change.
constexpr double kThird = 1.0 / 3, kTiny = 4.9e-324, kSum = 0.1 + 0.2;

// As number() writes it: a number, or the word for one that JSON lacks.
double number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "inf") return kInfinity;
  if (json == "-inf") return -kInfinity;
  ADD_FAILURE() << json;
  return 0;
}

void expect_same(const Json& json, const std::vector<TensorRow>& rows) {
  ASSERT_EQ(json.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(json[i]["tensor"], rows[i].tensor);
    EXPECT_EQ(json[i]["node"], rows[i].node);
    EXPECT_EQ(json[i]["op_type"], rows[i].op_type);
    EXPECT_EQ(json[i]["equal_share"], rows[i].equal_share);
    if (rows[i].largest_steps < 0) {
      EXPECT_TRUE(json[i]["largest_steps"].is_null());
    } else {
      EXPECT_EQ(json[i]["largest_steps"], rows[i].largest_steps);
    }
    ASSERT_EQ(json[i]["metrics"].size(), rows[i].metrics.size());
    for (const auto& [name, value] : rows[i].metrics) EXPECT_EQ(number_of(json[i]["metrics"][name]), value) << name;
  }
}

TEST(ReportJson, OfAJobHasItsNumbers) {
  const QuantizeReport& report = quantized_digits().report;
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["model"], report.model);
  EXPECT_EQ(json["output"], report.output);
  EXPECT_EQ(json["target"], report.target);
  EXPECT_EQ(json["file_bytes"], report.file_bytes);
  EXPECT_EQ(json["operand_counts"], Json(report.operand_counts));
  EXPECT_EQ(json["notes"], Json(report.notes));
  expect_same(json["outputs"], report.outputs);
  expect_same(json["tensors"], report.tensors);
  ASSERT_EQ(json["stages"].size(), report.stages.size());
  for (size_t i = 0; i < report.stages.size(); ++i) {
    EXPECT_EQ(json["stages"][i]["stage"], report.stages[i].stage);
    EXPECT_EQ(json["stages"][i]["seconds"], report.stages[i].seconds);
    EXPECT_EQ(json["stages"][i]["peak_memory_bytes"], report.stages[i].peak_memory_bytes);
  }
  ASSERT_EQ(json["operands"].size(), report.operands.size());
  for (size_t i = 0; i < report.operands.size(); ++i) {
    const Json& row = json["operands"][i];
    EXPECT_EQ(row["node"], report.operands[i].node);
    EXPECT_EQ(row["op_type"], report.operands[i].op_type);
    EXPECT_EQ(row["operand"], report.operands[i].operand);
    EXPECT_EQ(row["tensor"], report.operands[i].tensor);
    EXPECT_EQ(row["asked"], report.operands[i].asked);
    EXPECT_EQ(row["granted"], report.operands[i].granted);
    EXPECT_EQ(row["decided_by"], report.operands[i].decided_by);
    EXPECT_EQ(row["reason"], report.operands[i].reason);
    EXPECT_EQ(row["method"], report.operands[i].method);
    EXPECT_EQ(row["threshold"], report.operands[i].threshold);
  }
}

TEST(ReportJson, HasWordsForWhatIsNoNumber) {
  VerifyReport report;
  report.outputs.push_back({"t", "n", "Op", {{"a", kInfinity}, {"b", -kInfinity}, {"c", std::nan("")}}, 0.5, -1});
  const Json metrics = Json::parse(to_json(report))["outputs"][0]["metrics"];
  EXPECT_EQ(metrics["a"], "inf");
  EXPECT_EQ(metrics["b"], "-inf");
  EXPECT_EQ(metrics["c"], "nan");
}

TEST(ReportJson, OfAComparisonNamesTheFirstDifference) {
  const std::map<std::string, double> metrics = {{"mse", kTiny}, {"mae", kSum}, {"sqnr", kInfinity}};
  VerifyReport report{
      "a.onnx", "b.onnx", {{"y", "n", "Op", metrics, 1, -1}}, {{"t", "m", "Op", metrics, 1, 0}}, {"a note"}};
  Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["reference"], "a.onnx");
  EXPECT_EQ(json["other"], "b.onnx");
  expect_same(json["outputs"], report.outputs);
  expect_same(json["tensors"], report.tensors);
  EXPECT_TRUE(json["first_difference"].is_null());
  EXPECT_EQ(json["notes"], Json::array({"a note"}));
  report.outputs[0].equal_share = kThird;
  json = Json::parse(to_json(report));
  EXPECT_EQ(json["first_difference"], "y");
  EXPECT_EQ(json["outputs"][0]["equal_share"], kThird);
}

TEST(ReportJson, OfARunHasItsOutputs) {
  const RunReport report{"m",  "f",       3, {{"y", DType::kInt8, {-1, 4}, true}, {"z", DType::kBool, {}, false}},
                         kSum, {"a note"}};
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["model"], "m");
  EXPECT_EQ(json["folder"], "f");
  EXPECT_EQ(json["samples"], 3);
  EXPECT_EQ(json["seconds"], kSum);
  EXPECT_EQ(json["notes"], Json::array({"a note"}));
  EXPECT_EQ(json["outputs"], Json::parse(R"([{"name": "y", "dtype": "int8", "shape": [-1, 4]},
                                             {"name": "z", "dtype": "bool", "shape": null}])"));
}

TEST(ReportJson, OfAModelHasEveryList) {
  InspectReport report;
  report.model = "m";
  report.file_bytes = (uint64_t{1} << 63) + 1;  // which no double holds
  report.parameters = 7;
  report.inputs = {{"x", DType::kFloat32, {}, true}};
  report.nodes = {{"n", "Op", {"x", ""}, {"y"}, {"o"}}};
  report.passes = {{"p", 2, 0.5}};
  report.simplified = {{"s", "Op", {}, {}, {}}};
  report.lowering = {{"l", 0, 0.25}};
  report.lowered = {{"w", "Op", "integer", "because", 4, {"o"}}};
  report.unsupported = {"None"};
  EXPECT_EQ(Json::parse(to_json(report)), Json::parse(R"({
    "model": "m", "file_bytes": 9223372036854775809, "parameters": 7,
    "inputs": [{"name": "x", "dtype": "float32", "shape": []}],
    "outputs": [],
    "unsupported": ["None"],
    "passes": [{"pass": "p", "rewrites": 2, "seconds": 0.5}],
    "nodes": [{"name": "n", "op_type": "Op", "inputs": ["x", ""], "outputs": ["y"], "origins": ["o"]}],
    "simplified": [{"name": "s", "op_type": "Op", "inputs": [], "outputs": [], "origins": []}],
    "lowering": [{"pass": "l", "rewrites": 0, "seconds": 0.25}],
    "lowered": [{"name": "w", "op_type": "Op", "kind": "integer", "why": "because", "ec_passes": 4,
                 "origins": ["o"]}]})"));
}

TEST(ReportJson, OfATargetHasItsOperatorsAndAListHasNone) {
  TargetReport report;
  report.name = "t";
  report.description = "d";
  report.fallback = "v2";
  report.shared_scales = true;
  report.epilogues = {"Add"};
  report.operators = {{{"Conv"}, "note", true, false, {{{{"int8", "ec"}, {"int16"}}, {"int8"}, kThird}}}};
  Json json = Json::parse(to_json(report));
  EXPECT_TRUE(json["compiler"].is_null());
  EXPECT_EQ(json["shared_scales"], true);
  EXPECT_EQ(json["epilogues"], Json::array({"Add"}));
  const Json& row = json["operators"].at(0);
  EXPECT_EQ(row["ops"], Json::array({"Conv"}));
  EXPECT_EQ(row["note"], "note");
  EXPECT_EQ(row["moves_data"], true);
  EXPECT_EQ(row["quantized_by_default"], false);
  EXPECT_EQ(row["combinations"][0]["inputs"], Json::parse(R"([["int8", "ec"], ["int16"]])"));
  EXPECT_EQ(row["combinations"][0]["outputs"], Json::array({"int8"}));
  EXPECT_EQ(row["combinations"][0]["cost"], kThird);

  report.compiler = {"c", "1.2", "r"};
  json = Json::parse(to_json(std::vector<TargetReport>{report, report}))["targets"];
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[1]["name"], "t");
  EXPECT_EQ(json[1]["compiler"], (Json{{"name", "c"}, {"min_version", "1.2"}, {"reason", "r"}}));
  EXPECT_FALSE(json[1].contains("operators"));
}

TEST(ReportJson, OfABenchHasItsTimes) {
  const BenchReport report{"m", 2, kThird, kSum, kTiny, 1e300, 5, 6, 7, {{"n", "Op", "table", 2, kSum}}};
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["model"], "m");
  EXPECT_EQ(json["threads"], 2);
  EXPECT_EQ(json["load_seconds"], kThird);
  EXPECT_EQ(json["first_seconds"], kSum);
  EXPECT_EQ(json["best_seconds"], kTiny);
  EXPECT_EQ(json["median_seconds"], 1e300);
  EXPECT_EQ(json["runs"], 5);
  EXPECT_EQ(json["activation_bytes"], 6);
  EXPECT_EQ(json["packed_bytes"], 7);
  EXPECT_EQ(json["nodes"],
            Json::array({{{"name", "n"}, {"op_type", "Op"}, {"kind", "table"}, {"ec_passes", 2}, {"seconds", kSum}}}));
}

TEST(ReportJson, OfCostsHasThoseOfEachLayer) {
  const CostReport report{
      "cpu", 1, {{"Conv", {1, 2}, 99}}, {{"int8", "ec", {kThird, kSum}, 1.5}}, {{{{"int8"}}, {"int8"}, 2.5}}};
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["target"], "cpu");
  EXPECT_EQ(json["threads"], 1);
  EXPECT_EQ(json["layers"], Json::parse(R"([{"name": "Conv", "input": [1, 2], "macs": 99}])"));
  EXPECT_EQ(json["costs"][0]["a"], "int8");
  EXPECT_EQ(json["costs"][0]["b"], "ec");
  EXPECT_EQ(json["costs"][0]["picoseconds"], Json::array({kThird, kSum}));
  EXPECT_EQ(json["costs"][0]["cost"], 1.5);
  EXPECT_EQ(json["combinations"][0]["cost"], 2.5);
}

TEST(ReportJson, ReplacesBytesThatAreNoText) {
  RunReport report;
  report.outputs = {{"a\xff\"b\n", DType::kFloat32, {}, true}};
  EXPECT_EQ(Json::parse(to_json(report))["outputs"][0]["name"], "a\xef\xbf\xbd\"b\n");
}

}  // namespace
}  // namespace twofold
