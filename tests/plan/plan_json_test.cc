#include "plan/plan_json.h"

#include <filesystem>

#include "plan/expect_error.h"
#include "plan/fingerprint.h"
#include "plan/resolve.h"
#include "plan/test_graph.h"

namespace twofold {
namespace {

// A plan with everything that a plan can hold.
Plan full_plan() {
  const QuantConfig config = parse_config(R"(
model_config: {model_output_type: int16, weight: {bias_correction: {num_sample: 3, metric: sqnr}}}
node_config:
  Conv_1: {qtype: int16-ec, input2: int8, activation: {calibration_type: [max, kl], max_percentile: [0.99, 1.0]}}
  MatMul_2: {qtype: dual-int16, weight: {rounding: nearest}}
  Add_3: {qtype: dual-int16}
  gone: {qtype: int8}
)",
                                          "test");
  Plan plan = resolve(small_graph(), config, load_target("journey6-oe3.1"),
                      {.compiler_version = "4.3.2", .input_file_nodes = {"gone"}});
  OperandPlan* weight = plan.find("Conv_1", OperandRef::input(1));
  weight->params = QParams{weight->granted, 0, {0.1F, 1e-30F, 3.0F}, {}};
  weight->threshold = 12.7F;
  weight->method = "max";
  OperandPlan* activation = plan.find("Conv_1", OperandRef::input(0));
  activation->params = QParams{activation->granted, -1, {0.25F}, {-3}};
  activation->decided_by = DecidedBy::kSearch;
  plan.equalizations = {{"c", {"Conv_1", "MatMul_2"}, {0, -3, 15}}};
  return plan;
}

TEST(PlanJson, RoundTrip) {
  const Plan plan = full_plan();
  EXPECT_FALSE(plan.notes.empty());
  EXPECT_FALSE(plan.unmet.empty());
  EXPECT_FALSE(plan.fallbacks().empty());
  const std::string text = plan_to_json(plan);
  const Plan again = plan_from_json(text, "plan.json");
  EXPECT_EQ(again, plan);
  EXPECT_EQ(plan_to_json(again), text);
}

// Plans of version 2 have no equalizations, as many of version 3.
TEST(PlanJson, ReadsPlansWithoutEqualizations) {
  Plan plan = full_plan();
  plan.equalizations.clear();
  std::string text = plan_to_json(plan);
  EXPECT_EQ(text.find("equalizations"), std::string::npos);
  text.replace(text.find("\"version\": 3"), 12, "\"version\": 2");
  EXPECT_EQ(plan_from_json(text, "plan.json"), plan);
}

TEST(PlanJson, Files) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "twofold_plan_test.json";
  save_plan(full_plan(), path);
  EXPECT_EQ(load_plan(path), full_plan());
  std::filesystem::remove(path);
  EXPECT_ERROR(load_plan(path), ErrorCode::kNotFound, "twofold_plan_test.json");
  EXPECT_ERROR(save_plan(full_plan(), "/nonexistent/plan.json"), ErrorCode::kIo, "/nonexistent/plan.json");
}

TEST(PlanJson, NamesWhatIsWrong) {
  const std::string good = plan_to_json(full_plan());
  const auto bad = [&](const std::string& from, const std::string& to, const std::string& message) {
    std::string text = good;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_ERROR(plan_from_json(text, "p.json"), ErrorCode::kInvalidArgument, message);
  };
  bad("\"version\": 3", "\"version\": 4", "it has version 4, and this Twofold reads up to 3");
  bad("\"version\": 3", "\"version\": \"1\"", "version: must be a number");
  bad("twofold-plan", "other", "'format' is not 'twofold-plan'");
  bad("\"target\"", "\"tgt\"", "'target' is missing");
  bad("\"granted\":\"int16\"", "\"granted\":\"int4\"",
      "operands[0].granted: must be int8, int16, ec, float16, float32");
  bad("\"operand\":\"input0\"", "\"operand\":\"inputs\"", "must be inputN or outputN");
  bad("\"operand\":\"input1\"", "\"operand\":\"input0\"", "input0 of node 'Conv_1' twice");
  bad("\"scale\":[0.25]", "\"scale\":[-0.25]", "operands[0].params.scale[0]: must be a number from");
  bad("\"shared_scales\": true", "\"shared_scales\": 1", "shared_scales: must be true or false");
  bad("\"activation_format\": \"int8\"", "\"activation_format\": \"int4\"",
      "activation_format: must be int8, uint8, not 'int4'");
  bad("\"scale\":[0.25]", "\"scale\":[0.25,0.5]", "needs one scale, or an axis");
  bad("\"zero_point\":[-3]", "\"zero_point\":[-40000]", "zero_point[0]: must be a number from -32768 to 32767");
  bad("\"zero_point\":[-3]", "\"zero_point\":[1,2]", "another number of zero points");
  bad("[0,-3,15]", "[0,-3,16]", "equalizations[0].exponents[2]: must be a number from -15 to 15");
  bad("[0,-3,15]", "[0.5,-3,15]", "equalizations[0].exponents[0]: must be an integer");
  bad("\"tensor\"", "\"value\"", "equalizations[0]: 'tensor' is missing");
  bad("\"exponents\":[0,-3,15]}", "\"exponents\":[]}, {\"tensor\":\"c\",\"nodes\":[],\"exponents\":[]}",
      "equalizations[1]: tensor 'c' is equalized twice");
  EXPECT_ERROR(plan_from_json("", "p.json"), ErrorCode::kInvalidArgument, "p.json: not a plan");
  EXPECT_ERROR(plan_from_json("[]", "p.json"), ErrorCode::kInvalidArgument, "must be an object");
  EXPECT_ERROR(plan_from_json(good.substr(0, good.size() / 2), "p.json"), ErrorCode::kInvalidArgument, "not a plan");
}

TEST(Fingerprint, SaysWhichNodesDiffer) {
  const Plan plan = full_plan();
  EXPECT_TRUE(differences(plan, small_graph()).empty());
  EXPECT_NO_THROW(check_same_model(plan, small_graph()));

  Graph other = small_graph();
  other.set_input(other.find_node("Add_3"), 1, other.find_value("y"));
  other.set_op_type(other.find_node("Softmax_4"), "LogSoftmax");
  other.remove_node(other.find_node("MatMul_2"));
  other.add_node(
      {"MatMul_9", "MatMul", "", {other.find_value("c"), other.find_value("y")}, {other.find_value("m")}, {}});
  std::vector<std::string> found;
  for (const ModelDifference& difference : differences(plan, other)) {
    EXPECT_FALSE(difference.only_content);
    found.push_back(difference.what);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"node 'MatMul_2' (MatMul) of the plan is not in the model",
                                             "node 'Add_3' (Add) reads other inputs than in the plan",
                                             "node 'Softmax_4' is Softmax in the plan and LogSoftmax in the model",
                                             "node 'MatMul_9' (MatMul) of the model is not in the plan"}));
  EXPECT_ERROR(check_same_model(plan, other), ErrorCode::kInvalidArgument, "made for another model; 4 differences:");
}

TEST(Fingerprint, KnowsWeightsAndAttributesApartFromStructure) {
  const Plan plan = full_plan();
  Graph other = small_graph();
  other.set_constant(other.find_value("w1"), Tensor::scalar(2.0F));
  other.attributes(other.find_node("Softmax_4")).set("axis", int64_t{1});
  Plan remembered;
  remember_model(other, remembered);
  EXPECT_EQ(remembered.model_hash, plan.model_hash);
  EXPECT_NE(remembered.content_hash, plan.content_hash);
  EXPECT_EQ(remembered.content_hash, content_hash(other));
  const std::vector<ModelDifference> found = differences(plan, other);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].what, "node 'Conv_1' (Conv) has other weights or attributes than in the plan");
  EXPECT_EQ(found[1].node, "Softmax_4");
  EXPECT_TRUE(found[0].only_content && found[1].only_content);
  EXPECT_ERROR(check_same_model(plan, other), ErrorCode::kInvalidArgument, "made for another model; 2 differences:");

  other.remove_node(other.find_node("Reshape_5"));
  remember_model(other, remembered);
  EXPECT_NE(remembered.model_hash, plan.model_hash);
}

}  // namespace
}  // namespace twofold
