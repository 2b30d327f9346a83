#include "plan/resolve.h"

#include <gtest/gtest.h>

#include "plan/test_graph.h"
#include "twofold/error.h"

namespace twofold {
namespace {

Plan resolve_text(const std::string& config, const std::string& target = "cpu", const ResolveOptions& options = {}) {
  const QuantConfig parsed = parse_config(config, "test.yaml");
  return resolve(small_graph(), parsed, load_target(target), options);
}

// "int16" of an operand, or "-" if it is not planned.
std::string granted(const Plan& plan, const std::string& node, const std::string& operand) {
  const OperandPlan* found = plan.find(node, operand);
  return found == nullptr ? "-" : std::string(to_string(found->granted));
}

std::string reason(const Plan& plan, const std::string& node, const std::string& operand) {
  const OperandPlan* found = plan.find(node, operand);
  return found == nullptr ? "not planned" : found->reason;
}

TEST(Resolve, DefaultsQuantizeWhatIsQuantizedByDefault) {
  const Plan plan = resolve_text("{}");
  EXPECT_EQ(granted(plan, "Conv_1", "input0"), "int8");
  EXPECT_EQ(granted(plan, "Conv_1", "input1"), "int8");
  EXPECT_EQ(granted(plan, "Conv_1", "input2"), "-");
  EXPECT_EQ(granted(plan, "MatMul_2", "input0"), "int8");
  EXPECT_EQ(granted(plan, "MatMul_2", "input1"), "int8");
  EXPECT_EQ(granted(plan, "Add_3", "input0"), "int8");
  EXPECT_EQ(granted(plan, "Softmax_4", "input0"), "float32");
  EXPECT_EQ(granted(plan, "Reshape_5", "input0"), "float32") << "its reader is the model's float32 output";
  EXPECT_EQ(granted(plan, "Reshape_5", "input1"), "-");
  EXPECT_EQ(granted(plan, "Reshape_5", "output0"), "float32");
  EXPECT_TRUE(plan.find("Conv_1", "input1")->is_weight);
  EXPECT_FALSE(plan.find("Conv_1", "input0")->is_weight);
  EXPECT_EQ(plan.fallbacks(), std::vector<std::string>{});
  EXPECT_EQ(plan.target, "cpu");
}

TEST(Resolve, TheFileOfTheDocumentationWorks) {
  const char* const kFile = R"(calibration_parameters:
  quant_config: {
    // model level
    "model_config": {
      // input type of every node
      "all_node_type": "int8",
      // type of the model outputs
      "model_output_type": "int8",
    },
    "node_config": {
      "Conv_1":   {"input0": "int16", "input1": "ec"},
      "Matmul_2": {"input0": "int16", "input1": "ec"},
    }
  }
)";
  GraphMaker maker;
  maker.input("x").input("y").weight("w1");
  maker.node("Conv", "Conv_1", {"x", "w1"}, {"c"}).node("MatMul", "Matmul_2", {"c", "y"}, {"out"}).output("out");
  const Plan plan = resolve(maker.graph, parse_config(kFile, "ptq.yaml"), load_target("cpu"));
  EXPECT_EQ(granted(plan, "Conv_1", "input0"), "int16");
  EXPECT_EQ(granted(plan, "Conv_1", "input1"), "ec");
  EXPECT_EQ(granted(plan, "Matmul_2", "input0"), "int16");
  EXPECT_EQ(granted(plan, "Matmul_2", "input1"), "ec");
  EXPECT_EQ(granted(plan, "Matmul_2", "output0"), "int8");
  EXPECT_EQ(plan.find("Conv_1", "input0")->decided_by, DecidedBy::kNode);
  EXPECT_EQ(plan.fallbacks(), std::vector<std::string>{});
}

TEST(Resolve, AGemmTakesOneSixteenBitInputOnOpenExplorer31) {
  const Plan plan =
      resolve_text("node_config: {MatMul_2: {qtype: int16}, Conv_1: {qtype: dual-int16}}", "journey6-oe3.1");
  EXPECT_EQ(granted(plan, "MatMul_2", "input0"), "int16");
  EXPECT_EQ(granted(plan, "MatMul_2", "input1"), "int8");
  EXPECT_EQ(plan.find("MatMul_2", "input1")->asked, QType::kInt16);
  EXPECT_EQ(reason(plan, "MatMul_2", "input1"),
            "fallback policy v1 keeps one 16-bit input of a MatMul: input0, as no sensitivity is given");
  EXPECT_EQ(granted(plan, "Conv_1", "input1"), "int8");
  EXPECT_EQ(reason(plan, "Conv_1", "input0"), "");
}

}  // namespace
}  // namespace twofold
