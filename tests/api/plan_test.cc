// A plan that a job wrote, as C++ programs read it.
#include "twofold/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/quantized_digits.h"
#include "base/files.h"
#include "base/message_of.h"
#include "onnx/import.h"
#include "passes/pipeline.h"

namespace twofold {
namespace {

using Json = nlohmann::json;
using ::twofold::testing::message_of;

std::string plan_text() { return read_text_file(quantized_digits().plan); }

TEST(DescribePlan, SaysWhatTheFileSays) {
  const Json file = Json::parse(plan_text());
  const PlanReport plan = describe_plan(quantized_digits().plan);
  EXPECT_EQ(plan.model_hash, file["model_hash"]);
  EXPECT_EQ(plan.content_hash, file["content_hash"]);
  EXPECT_EQ(plan.target, "cpu");
  EXPECT_EQ(plan.compiler_version, "");
  EXPECT_EQ(plan.policy, file["policy"]);
  EXPECT_EQ(plan.activation_format, "int8");
  EXPECT_EQ(Json(plan.notes), file["notes"]);
  EXPECT_EQ(Json(plan.unmet), file["unmet"]);
  ASSERT_EQ(plan.operands.size(), file["operands"].size());
  int with_axis = 0, with_shift = 0, with_zero_point = 0;
  for (size_t i = 0; i < plan.operands.size(); ++i) {
    const PlanOperandRow& row = plan.operands[i];
    const Json& entry = file["operands"][i];
    EXPECT_EQ(row.node, entry["node"]);
    EXPECT_EQ(row.op_type, entry["op_type"]);
    EXPECT_EQ(row.operand, entry["operand"]);
    EXPECT_EQ(row.tensor, entry["value"]);
    EXPECT_EQ(row.asked, entry["asked"]);
    EXPECT_EQ(row.granted, entry["granted"]);
    EXPECT_EQ(row.decided_by, entry["decided_by"]);
    EXPECT_EQ(row.reason, entry.value("reason", ""));
    EXPECT_EQ(row.is_weight, entry.value("is_weight", false));
    EXPECT_EQ(row.rounding, row.is_weight && entry.contains("weight") ? "nearest" : "") << row.node;
    EXPECT_EQ(row.bias_shift, entry.value("bias_shift", std::vector<float>{}));
    const Json params = entry.value("params", Json::object());
    EXPECT_EQ(row.scale, params.value("scale", std::vector<float>{}));
    EXPECT_EQ(row.zero_point, params.value("zero_point", std::vector<int32_t>{}));
    EXPECT_EQ(row.axis, params.value("axis", -1));
    EXPECT_EQ(static_cast<float>(row.threshold), entry.value("threshold", 0.0F));
    EXPECT_EQ(row.method, entry.value("method", ""));
    EXPECT_EQ(row.scale.empty(), row.granted == "float32") << row.node << " " << row.operand;
    with_axis += row.axis >= 0;
    with_shift += !row.bias_shift.empty();
    with_zero_point += !row.zero_point.empty();
  }
  // The job was made so that there is something to compare.
  EXPECT_GT(with_axis, 0);
  EXPECT_GT(with_shift, 0);
  EXPECT_GT(with_zero_point, 0);
}

// With calibration_type max and one scale per channel: the largest magnitude of each is 127 steps.
TEST(DescribePlan, HasScalesThatFollowFromTheWeights) {
  Graph graph = import_onnx(kDigitsModel);
  run_passes(graph);
  int compared = 0;
  for (const PlanOperandRow& row : describe_plan(quantized_digits().plan).operands) {
    if (!row.is_weight || row.granted != "int8" || row.axis < 0) continue;
    const Tensor& weight = *graph.constant(graph.find_value(row.tensor));
    const std::span<const float> values = weight.data<float>();
    int64_t inner = 1;
    for (int axis = row.axis + 1; axis < weight.rank(); ++axis) inner *= weight.dim(axis);
    std::vector<float> largest(static_cast<size_t>(weight.dim(row.axis)), 0);
    for (size_t i = 0; i < values.size(); ++i) {
      float& channel = largest[i / static_cast<size_t>(inner) % largest.size()];
      channel = std::max(channel, std::abs(values[i]));
    }
    ASSERT_EQ(row.scale.size(), largest.size()) << row.tensor;
    for (size_t c = 0; c < largest.size(); ++c) EXPECT_FLOAT_EQ(row.scale[c], largest[c] / 127) << row.tensor;
    EXPECT_FLOAT_EQ(static_cast<float>(row.threshold), *std::ranges::max_element(largest));
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(DescribePlan, NamesFileAndKeyThatAreWrong) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "edited.json";
  EXPECT_NE(message_of([&] { describe_plan(path); }).find("edited.json"), std::string::npos);
  Json file = Json::parse(plan_text());
  file["operands"][1]["granted"] = "int7";
  std::ofstream(path) << file;
  const std::string message = message_of([&] { describe_plan(path); });
  EXPECT_NE(message.find("edited.json"), std::string::npos) << message;
  EXPECT_NE(message.find("operands[1].granted: must be int8, int16, ec, float16, float32"), std::string::npos)
      << message;
}

TEST(NormalizedPlan, IsTheTextOfTheFileHoweverItIsWritten) {
  const std::string text = plan_text();
  EXPECT_EQ(normalized_plan(text, "plan"), text);
  // Keys in another order, other spaces, and one that Twofold does not write.
  Json file = Json::parse(text);
  file["comment"] = "mine";
  EXPECT_NE(file.dump(7), text);
  EXPECT_EQ(normalized_plan(file.dump(7), "plan"), text);
}

TEST(NormalizedPlan, NamesTheLabel) {
  EXPECT_EQ(message_of([] { normalized_plan("{", "my plan"); }).find("my plan: not a plan"), 0U);
  EXPECT_EQ(message_of([] { normalized_plan("[]", "my plan"); }).find("my plan: not a valid plan"), 0U);
}

}  // namespace
}  // namespace twofold
