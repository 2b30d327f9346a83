// What a unit alone does to a model, against the whole model quantized so.
#include "debug/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "quantize/opened_network.h"

namespace twofold {
namespace {

constexpr int64_t kSamples = 3;

// The plan with everything float that is not of the unit.
Plan only(const Plan& plan, const Unit& unit) {
  Plan result = plan;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    if (std::ranges::find(unit.operands, i) != unit.operands.end()) continue;
    OperandPlan& operand = result.operand(i);
    operand.granted = QType::kFloat32;
    operand.params.reset();
    operand.bias_shift.clear();
  }
  return result;
}

const char* const kConfigs[] = {
    "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}",
    "model_config: {activation: {calibration_type: [max, kl], asymmetric: true}, weight: {bias_correction: "
    "{num_sample: 2}}}",
    "{model_config: {activation: {calibration_type: max}}, op_config: {Conv: {qtype: int16-ec}, MatMul: {qtype: "
    "dual-int16}}}",
};

TEST(Sensitivity, IsThatOfTheModelQuantizedSo) {
  for (const char* config : kConfigs) {
    OpenedNetwork opened(config, kSamples);
    for (const UnitKind kind : {UnitKind::kNode, UnitKind::kWeight, UnitKind::kActivation}) {
      const std::vector<Unit> units = units_of(opened.model.graph(), opened.plan, kind);
      ASSERT_GT(units.size(), 2U);
      for (const int threads : {1, 3}) {
        for (const size_t memory : {size_t{0}, size_t{2000}, size_t{1} << 30}) {
          const std::vector<Sensitivity> found =
              measure_sensitivity(opened.model, opened.plan, units, {.threads = threads, .memory_cap = memory});
          ASSERT_EQ(found.size(), units.size());
          for (size_t i = 0; i < units.size(); ++i) {
            const Graph whole = opened.model.apply(only(opened.plan, units[i]));
            MetricMeans means;
            const auto outputs = run_whole(whole, *opened.data, kSamples);
            for (size_t s = 0; s < outputs.size(); ++s) opened.model.samples().add_errors(s, outputs[s], means);
            ASSERT_EQ(whole.outputs.size(), 1U);
            for (const Metric metric : kAllMetrics) {
              EXPECT_EQ(found[i].mean(0, metric), means.mean(metric)) << units[i].name << " " << to_string(metric);
            }
          }
        }
      }
    }
  }
}

TEST(Sensitivity, TellsEveryUnitOnce) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  const std::vector<Unit> units = units_of(opened.model.graph(), opened.plan, UnitKind::kNode);
  std::vector<int> told(units.size(), 0);
  const auto found =
      measure_sensitivity(opened.model, opened.plan, units,
                          {.threads = 2, .on_unit = [&](size_t unit, const Sensitivity&) { ++told[unit]; }});
  EXPECT_EQ(told, std::vector<int>(units.size(), 1));
  EXPECT_GT(found[0].deviation(0, Metric::kMse), 0);
  EXPECT_EQ(found[0].worst_output({0}, Metric::kMse), 0U);
}

TEST(Units, AreNodesWeightsAndActivationsOfThePlan) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  const Graph& graph = opened.model.graph();
  std::set<size_t> in_nodes;
  for (const Unit& unit : units_of(graph, opened.plan, UnitKind::kNode)) {
    EXPECT_NE(graph.find_node(unit.name), kNone);
    for (const size_t position : unit.operands) {
      EXPECT_EQ(opened.plan.operands()[position].node, unit.name);
      EXPECT_TRUE(in_nodes.insert(position).second);
    }
  }
  std::set<size_t> in_tensors;
  for (const UnitKind kind : {UnitKind::kWeight, UnitKind::kActivation}) {
    for (const Unit& unit : units_of(graph, opened.plan, kind)) {
      EXPECT_EQ(graph.constant(graph.find_value(unit.name)) != nullptr, kind == UnitKind::kWeight) << unit.name;
      for (const size_t position : unit.operands) {
        EXPECT_EQ(opened.plan.operands()[position].value, unit.name);
        EXPECT_TRUE(in_tensors.insert(position).second);
      }
    }
  }
  EXPECT_EQ(in_nodes, in_tensors);
  EXPECT_FALSE(in_nodes.empty());
}

}  // namespace
}  // namespace twofold
