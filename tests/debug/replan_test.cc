// Plans of changed configs: what quantize() would make of them, with the tested plan's scales where nothing changed.
#include "debug/replan.h"

#include <gtest/gtest.h>

#include "debug/diagnosis.h"
#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

const char* const kConfig =
    "{model_config: {all_node_type: int8, activation: {calibration_type: max}, weight: {rounding: nearest}}}";

struct Opened {
  explicit Opened(const std::string& target = "cpu")
      : config(parse_config(kConfig, "config")),
        target(load_target(target)),
        network(kConfig, 3),
        replanner(network.model, config, this->target, {}, network.plan) {}

  QuantConfig config;
  Target target;
  OpenedNetwork network;
  Replanner replanner;
};

QuantConfig lines(const std::string& text) { return parse_config(text, "lines"); }

TEST(Replanner, WithoutLinesGivesTheTestedPlan) {
  Opened opened;
  EXPECT_EQ(opened.replanner.plan({}).operands(), opened.network.plan.operands());
}

TEST(Replanner, GivesThePlanOfTheChangedConfig) {
  for (const char* change :
       {"node_config: {conv1: {input0: int16, input1: ec}}", "node_config: {conv2: {qtype: float32}}",
        "node_config: {gemm: {activation: {calibration_type: mse}}}",
        "op_config: {Conv: {weight: {rounding: preserve_sum}}}"}) {
    Opened opened;
    const Plan found = opened.replanner.plan(lines(change));
    const QuantConfig config = with_lines(opened.config, lines(change));
    const Plan expected = decide_plan(opened.network.model, {config, opened.target, {}}, nullptr, kNoStage);
    EXPECT_EQ(found.operands(), expected.operands()) << change;
  }
}

TEST(Replanner, KeepsWhatLinesDoNotConcern) {
  Opened opened;
  // As if a search had found another scale.
  const std::optional<size_t> position = [&]() -> std::optional<size_t> {
    for (size_t i = 0; i < opened.network.plan.operands().size(); ++i) {
      if (opened.network.plan.operands()[i].node == "gemm") return i;
    }
    return std::nullopt;
  }();
  ASSERT_TRUE(position);
  opened.network.plan.operand(*position).params->scale[0] *= 2;
  const Plan plan = opened.replanner.plan(lines("node_config: {conv1: {qtype: int16}}"));
  EXPECT_EQ(plan.find("gemm", OperandRef::input(0))->params, opened.network.plan.operands()[*position].params);
  EXPECT_EQ(plan.find("conv1", OperandRef::input(0))->granted, QType::kInt16);
}

TEST(WithLines, AnOperandOrAQTypeOfANodeWinsOverWhatWasThere) {
  const QuantConfig config = with_lines(lines("node_config: {a: {qtype: int8}, b: {input0: int16, input1: int16}}"),
                                        lines("node_config: {a: {input1: ec}, b: {qtype: int8}, c: {qtype: int16}}"));
  EXPECT_EQ(config.nodes.at("a").qtype, NodeQType::kInt8);
  EXPECT_EQ(config.nodes.at("a").operands.at(OperandRef::input(1)), QType::kEc);
  EXPECT_EQ(config.nodes.at("b").qtype, NodeQType::kInt8);
  EXPECT_TRUE(config.nodes.at("b").operands.empty());
  EXPECT_EQ(config.nodes.at("c").qtype, NodeQType::kInt16);
}

std::vector<std::vector<Remedy>> remedies_of(Opened& opened, const std::vector<Suspect>& suspects,
                                             const FixedSettings& fixed = {}) {
  RemedyOptions options{[](size_t) { return SensitivityOptions{.threads = 2}; }, {0}, fixed, 1, {}, 1};
  return try_remedies(opened.replanner, opened.network.model, suspects, options);
}

TEST(Remedies, AreWhatTheirLinesGiveOfTheNodeAlone) {
  Opened opened;
  const std::vector<Suspect> suspects = {{"conv1", "Conv", {"conv1"}, 1}, {"all", "", {"conv3", "product"}, 1}};
  const auto remedies = remedies_of(opened, suspects);
  ASSERT_GE(remedies[0].size(), 8U);  // precisions, ranges and roundings
  ASSERT_GE(remedies[1].size(), 4U);  // precisions alone: ranges are tried of the first
  for (size_t s = 0; s < suspects.size(); ++s) {
    for (const Remedy& remedy : remedies[s]) {
      const Plan plan = opened.replanner.plan(remedy.lines);
      std::vector<OperandQuantization> operands;
      for (const std::string& node : suspects[s].nodes) {
        for (const OperandPlan* operand : plan.of_node(node)) {
          if (operand->granted == QType::kFloat32) continue;
          operands.push_back(decided_operand(opened.network.model.graph(), *operand));
        }
      }
      const Sensitivity alone = measure_alone(opened.network.model, {operands}, {.threads = 1}).front();
      EXPECT_EQ(remedy.noise, alone.noise({0})) << suspects[s].name << ": " << remedy.words;
      EXPECT_EQ(remedy.sensitivity, alone);
    }
  }
}

TEST(Remedies, LeaveWhatAUserFixed) {
  Opened opened;
  const std::vector<Suspect> suspects = {{"conv1", "Conv", {"conv1"}, 1}};
  const auto kinds = [&](const FixedSettings& fixed) {
    std::set<std::string> keys;
    const auto remedies = remedies_of(opened, suspects, fixed);
    for (const Remedy& remedy : remedies.front()) {
      const LevelConfig& level = remedy.lines.nodes.at("conv1");
      if (level.qtype || !level.operands.empty()) keys.insert("precision");
      if (level.activation != ActivationConfig{}) keys.insert("activation");
      if (level.weight != WeightConfig{}) keys.insert("weight");
    }
    return keys;
  };
  using Keys = std::set<std::string>;
  EXPECT_EQ(kinds({}), (Keys{"activation", "precision", "weight"}));
  EXPECT_EQ(kinds({.precision = {"conv1"}}), (Keys{"activation", "weight"}));
  EXPECT_EQ(kinds({.activation = {"conv1"}}), (Keys{"precision", "weight"}));
  EXPECT_EQ(kinds({.weight = {"conv1"}}), (Keys{"activation", "precision"}));
  EXPECT_EQ(kinds({.precision = {"gemm"}}), (Keys{"activation", "precision", "weight"}));
}

TEST(Remedies, WhatATargetDoesNotGrantIsNone) {
  Opened opened("journey6-oe3.1");  // one input of 16 bits at most
  const auto remedies = remedies_of(opened, {{"product", "MatMul", {"product"}, 1}});
  ASSERT_FALSE(remedies.front().empty());
  for (const Remedy& remedy : remedies.front()) {
    EXPECT_NE(remedy.words, "input0 int16, input1 int16");
  }
}

TEST(Diagnosis, IsTheSameForAnyNumberOfThreads) {
  std::vector<std::string> outcomes;
  for (const int threads : {1, 3}) {
    Opened opened;
    const std::vector<Unit> nodes = units_of(opened.network.model.graph(), opened.network.plan, UnitKind::kNode);
    const SensitivityOptions measuring{.threads = threads};
    const std::vector<Sensitivity> alone =
        measure_sensitivity(opened.network.model, opened.network.plan, nodes, measuring);
    const DiagnosisInput input{opened.replanner, opened.network.model, opened.network.model, nodes, alone, {0}, {},
                               measuring};
    const Diagnosis diagnosis = diagnose(input);
    std::string outcome = fmt::format("{} {} {}", diagnosis.noise, diagnosis.sum, diagnosis.repaired.noise({0}));
    for (const auto& [node, level] : diagnosis.lines.nodes) outcome += " " + node;
    for (const Examined& node : diagnosis.nodes) {
      for (const OperandCause& cause : node.causes) outcome += fmt::format(" {} {}", cause.noise, cause.rounding);
    }
    outcomes.push_back(outcome);
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

}  // namespace
}  // namespace twofold
