#include "plan/target.h"

#include <filesystem>
#include <fstream>

#include "plan/expect_error.h"

namespace twofold {
namespace {

constexpr QType kI8 = QType::kInt8, kI16 = QType::kInt16, kEc = QType::kEc, kF32 = QType::kFloat32;

// A target whose Conv takes int8, and nothing else of interest.
std::string with(const std::string& more) {
  return "name: t\n" + more +
         "\noperators:\n"
         "  - {ops: Conv, combinations: [{inputs: [int8, int8]}]}\n"
         "  - {ops: '*', default: float32, combinations: [{each_input: [float32]}]}\n";
}

bool allows(const Target& target, const std::string& op, const std::vector<QType>& inputs) {
  for (const Combination& combination : target.rule(op).combinations) {
    if (combination.matches(inputs)) return true;
  }
  return false;
}

TEST(Target, FourAreShipped) {
  EXPECT_EQ(list_targets(), (std::vector<std::string>{"cpu", "generic", "journey6-oe3.1", "journey6-oe3.2"}));
  for (const std::string& name : list_targets()) {
    const Target target = load_target(name);
    EXPECT_EQ(target.name, name);
    EXPECT_FALSE(target.description.empty());
    for (const char* op : {"Conv", "MatMul", "Add", "Sigmoid", "Resize", "Reshape"}) {
      EXPECT_TRUE(target.quantizes_by_default(op)) << op;
      EXPECT_TRUE(allows(target, op, {kI8, kI8})) << op;
    }
    for (const char* op : {"Softmax", "LayerNormalization", "GroupNormalization", "RMSNormalization", "ReduceMean",
                           "Pow", "Sqrt", "Exp", "Erf", "Unheard"}) {
      EXPECT_FALSE(target.quantizes_by_default(op)) << op;
    }
  }
}

TEST(Target, TheCpuRunsEverything) {
  const Target cpu = load_target("cpu");
  for (const QType a : {kI8, kI16, kEc, QType::kFloat16, kF32}) {
    for (const QType b : {kI8, kI16, kEc, QType::kFloat16, kF32}) EXPECT_TRUE(allows(cpu, "MatMul", {a, b}));
  }
  const auto cost = [&](QType a, QType b) { return cpu.cost("Conv", std::vector{a, b}); };
  EXPECT_EQ(cost(kI8, kI8), 1);
  EXPECT_EQ(cost(kI16, kI8), 1.8);
  EXPECT_EQ(cost(kI8, kEc), 1.7);
  EXPECT_EQ(cost(kI16, kI16), 2.7);
  EXPECT_EQ(cost(kI16, kEc), 2.7);
  EXPECT_EQ(cost(kF32, kF32), 3);
  EXPECT_EQ(cost(kF32, kI8), 3);
  EXPECT_EQ(cpu.cost("Add", std::vector{kI8, kI16}), 2);
}

TEST(Target, OpenExplorer31TakesOneSixteenBitInput) {
  const Target target = load_target("journey6-oe3.1");
  for (const char* op : {"Conv", "ConvTranspose", "MatMul", "Gemm"}) {
    EXPECT_TRUE(allows(target, op, {kI16, kI8}));
    EXPECT_TRUE(allows(target, op, {kI8, kEc}));
    for (const QType a : {kI16, kEc}) {
      for (const QType b : {kI16, kEc}) EXPECT_FALSE(allows(target, op, {a, b}));
    }
  }
  EXPECT_EQ(target.fallback, FallbackPolicy::kV1);
  EXPECT_FALSE(target.compiler);
}

TEST(Target, OpenExplorer32TakesTwoThroughEc) {
  const Target target = load_target("journey6-oe3.2");
  EXPECT_TRUE(allows(target, "MatMul", {kI16, kEc}));
  EXPECT_TRUE(allows(target, "MatMul", {kEc, kI16}));
  EXPECT_FALSE(allows(target, "MatMul", {kI16, kI16}));
  EXPECT_EQ(target.fallback, FallbackPolicy::kV2);
  for (const Combination& combination : target.rule("Conv").combinations) {
    const bool dual = is_16bit(combination.input(0)[0]) && is_16bit(combination.input(1)[0]);
    const bool high_precision =
        std::find(combination.outputs.begin(), combination.outputs.end(), kF32) != combination.outputs.end();
    EXPECT_EQ(high_precision, !dual);
  }
}

TEST(Target, CompilerVersions) {
  const Target target = load_target("journey6-oe3.2");
  EXPECT_NO_THROW(check_compiler_version(target, "4.3.3"));
  EXPECT_NO_THROW(check_compiler_version(target, "4.10"));
  EXPECT_NO_THROW(check_compiler_version(load_target("cpu"), "0.1"));
  EXPECT_ERROR(check_compiler_version(target, "4.3.2"), ErrorCode::kUnsupported,
               "target 'journey6-oe3.2' needs the Journey 6 compiler 4.3.3 or newer, not 4.3.2: older ones cannot");
  EXPECT_ERROR(check_compiler_version(target, "4.3"), ErrorCode::kUnsupported, "not 4.3:");
  for (const char* bad : {"", "four", "4.", "4..3", "4.-3", "4.3.3-rc", "99999999999"}) {
    EXPECT_ERROR(check_compiler_version(target, bad), ErrorCode::kInvalidArgument, "is not a compiler version");
  }
}

TEST(Target, TheLastInputRepeatsAndTheFirstMatchCounts) {
  const Target target = parse_target(
      "name: t\noperators: [{ops: '*', combinations: [{inputs: [int8], cost: 3}, {inputs: [int16, int8], cost: 5}, "
      "{each_input: [int8, int16], cost: 7}]}]",
      "t.yaml");
  EXPECT_EQ(target.cost("Concat", std::vector{kI8, kI8, kI8}), 3);
  EXPECT_EQ(target.cost("Concat", std::vector{kI16, kI8, kI8}), 5);
  EXPECT_EQ(target.cost("Concat", std::vector{kI8, kI16, kI8}), 7);
  EXPECT_EQ(target.cost("Concat", std::vector{kF32}), 7) << "no combination matches: the dearest";
}

TEST(Target, AnInputMayHaveSeveralPrecisions) {
  const Target target = parse_target(
      "name: t\noperators: [{ops: '*', combinations: [{inputs: [int8, [int8, int16]], cost: 3}, "
      "{each_input: [int8, int16], cost: 7}]}]",
      "t.yaml");
  EXPECT_EQ(target.cost("LSTM", std::vector{kI8, kI8, kI16}), 3);
  EXPECT_EQ(target.cost("LSTM", std::vector{kI16, kI8, kI8}), 7);
}

TEST(Target, OperatorsWithAStateAreQuantizedOnTheCpuAlone) {
  for (const std::string& name : list_targets()) {
    const Target target = load_target(name);
    for (const char* op : {"LSTM", "GRU", "RNN"}) {
      EXPECT_EQ(target.quantizes_by_default(op), name == "cpu") << name;
      EXPECT_EQ(allows(target, op, {kI8, kI16, kF32}), name == "cpu") << name;
      EXPECT_EQ(allows(target, op, {kI8, kI8, kI8}), name == "cpu") << name;
      EXPECT_TRUE(allows(target, op, {kF32, kF32, kF32})) << name;
    }
  }
  const Target cpu = load_target("cpu");
  EXPECT_EQ(cpu.cost("LSTM", std::vector{kI16, kI8, kF32}), 1.8) << "whatever R is";
  EXPECT_EQ(cpu.cost("GRU", std::vector{kI16, kF32, kI8}), 3);
}

TEST(Target, FilesOfUsers) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "twofold_target_test.yaml";
  std::ofstream(path) << with("fallback: v1");
  EXPECT_EQ(load_target(path.string()).fallback, FallbackPolicy::kV1);
  std::filesystem::remove(path);
  EXPECT_ERROR(load_target(path.string()), ErrorCode::kNotFound, "twofold_target_test.yaml");
  EXPECT_ERROR(load_target("journey6"), ErrorCode::kNotFound, "there are 'cpu', 'generic', 'journey6-oe3.1'");
}

TEST(Target, BadFiles) {
  const auto bad = [](const std::string& text, const std::string& message) {
    EXPECT_ERROR(parse_target(text, "t.yaml"), ErrorCode::kInvalidArgument, message);
  };
  EXPECT_NO_THROW(parse_target(with(""), "t.yaml"));
  bad("", "a target needs 'name'");
  bad("name: t", "needs a rule with ops: \"*\"");
  bad(with("fallback: v3"), "t.yaml:2: fallback: must be v1, v2, not 'v3'");
  bad(with("fall_back: v1"), "did you mean 'fallback'?");
  bad(with("compiler: {name: c}"), "needs 'name', 'min_version' and 'reason'");
  bad(with("compiler: {name: c, min_version: new, reason: r}"), "must be a version");
  bad("name: t\noperators: {}", "must be a list, not a map");
  const auto bad_rule = [&](const std::string& rule, const std::string& message) {
    bad(with("") + "  - " + rule + "\n", message);
  };
  bad_rule("{ops: Conv, combinations: [{inputs: [int8]}]}", "there are two rules for 'Conv'");
  bad_rule("{ops: '*', combinations: [{inputs: [int8]}]}", "there are two rules for '*'");
  bad_rule("{ops: Gemm}", "a rule needs 'combinations'");
  bad_rule("{combinations: [{inputs: [int8]}]}", "a rule needs 'ops'");
  bad_rule("{ops: Gemm, combinations: [{cost: 1}]}", "needs 'inputs' or 'each_input'");
  bad_rule("{ops: Gemm, combinations: [{inputs: [int8], each_input: [int8]}]}", "either 'inputs' or 'each_input'");
  bad_rule("{ops: Gemm, combinations: [{inputs: []}]}", "the list is empty");
  bad_rule("{ops: Gemm, combinations: [{inputs: [int4]}]}", "must be int8, int16, ec, float16, float32, not 'int4'");
  bad_rule("{ops: Gemm, combinations: [{inputs: [int8], cost: -1}]}", "must be a number from 0");
  bad_rule("{ops: Gemm, default: int8, combinations: [{inputs: [int8]}]}", "must be quantized, float32");
}

TEST(Target, DefaultsAreThoseOfTheOperatorsUnlessTheFileSaysOtherwise) {
  const Target target = parse_target(
      "name: t\noperators:\n"
      "  - {ops: [Add, Softmax], combinations: [{each_input: [int8, float32]}]}\n"
      "  - {ops: Mul, default: float32, combinations: [{each_input: [int8, float32]}]}\n"
      "  - {ops: Exp, default: quantized, combinations: [{each_input: [int8, float32]}]}\n"
      "  - {ops: '*', combinations: [{each_input: [int8, float32]}]}\n",
      "t.yaml");
  EXPECT_TRUE(target.quantizes_by_default("Add"));
  EXPECT_FALSE(target.quantizes_by_default("Softmax"));
  EXPECT_FALSE(target.quantizes_by_default("Mul"));
  EXPECT_TRUE(target.quantizes_by_default("Exp"));
  EXPECT_TRUE(target.quantizes_by_default("Sigmoid")) << "one of all others";
  EXPECT_FALSE(target.quantizes_by_default("Log"));
  const Target all_float = parse_target(with(""), "t.yaml");
  EXPECT_FALSE(all_float.quantizes_by_default("Sigmoid"));
}

TEST(Target, MayRepeatButNotContradictWhatMovesData) {
  const auto file = [](const std::string& op, const std::string& moves) {
    return "name: t\noperators:\n  - ops: " + op + "\n    moves_data: " + moves +
           "\n    combinations: [{each_input: [int8]}]\n  - {ops: Q, combinations: [{each_input: [int8]}]}\n" +
           (op == "'*'" ? "" : "  - {ops: '*', combinations: [{each_input: [int8]}]}\n");
  };
  EXPECT_NO_THROW(parse_target(file("[Reshape, MaxPool, Relu]", "true"), "t.yaml"));
  EXPECT_NO_THROW(parse_target(file("[Sigmoid, Conv]", "false"), "t.yaml"));
  EXPECT_ERROR(parse_target(file("[Reshape, Sigmoid]", "true"), "t.yaml"), ErrorCode::kInvalidArgument,
               "t.yaml:4: operators.moves_data: Sigmoid computes other numbers than it is given");
  EXPECT_ERROR(parse_target(file("Concat", "false"), "t.yaml"), ErrorCode::kInvalidArgument,
               "t.yaml:4: operators.moves_data: Concat only moves or clamps numbers");
  EXPECT_ERROR(parse_target(file("'*'", "true"), "t.yaml"), ErrorCode::kInvalidArgument,
               "computes other numbers than it is given");
  EXPECT_ERROR(parse_target(file("'*'", "false"), "t.yaml"), ErrorCode::kInvalidArgument, "only moves or clamps");
  EXPECT_ERROR(parse_target(file("Reshape", "2"), "t.yaml"), ErrorCode::kInvalidArgument, "must be true or false");
}

TEST(Target, MayHaveOneScaleForAllThatMoversJoin) {
  EXPECT_FALSE(parse_target(with(""), "t.yaml").shared_scales);
  EXPECT_FALSE(parse_target(with("shared_scales: false"), "t.yaml").shared_scales);
  EXPECT_TRUE(parse_target(with("shared_scales: true"), "t.yaml").shared_scales);
  EXPECT_ERROR(parse_target(with("shared_scales: some"), "t.yaml"), ErrorCode::kInvalidArgument,
               "t.yaml:2: shared_scales: must be true or false");
  EXPECT_ERROR(parse_target(with("shared_scale: true"), "t.yaml"), ErrorCode::kInvalidArgument, "shared_scales");
  EXPECT_FALSE(load_target("cpu").shared_scales);
  for (const char* device : {"generic", "journey6-oe3.1", "journey6-oe3.2"}) {
    EXPECT_TRUE(load_target(device).shared_scales) << device;
  }
}

}  // namespace
}  // namespace twofold
