// A trial gives the bits of the whole job, and does no more than the change asks for.
#include "quantize/trials.h"

#include <gtest/gtest.h>

#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

constexpr int64_t kSamples = 4;

const char* const kConfigs[] = {
    "model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}",
    "model_config: {all_node_type: int16, activation: {calibration_type: max}, weight: {rounding: nearest}}",
    "{model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}, op_config: {Conv: {qtype: "
    "int16-ec}, MatMul: {qtype: dual-int16}}}",
};

// The errors of the graph quantized whole, without any trial.
MetricMeans measure_whole(OpenedNetwork& opened, const std::vector<OperandQuantization>& operands) {
  Graph graph = opened.model.graph();
  WeightCache weights;
  apply_quantization(graph, operands, weights);
  MetricMeans means;
  const auto outputs = run_whole(graph, *opened.data, kSamples);
  for (size_t i = 0; i < outputs.size(); ++i) opened.model.samples().add_errors(i, outputs[i], means);
  return means;
}

void expect_equal(const MetricMeans& a, const MetricMeans& b, const std::string& what) {
  for (Metric metric : kAllMetrics) EXPECT_EQ(a.mean(metric), b.mean(metric)) << what << ", " << to_string(metric);
}

// An operand as a plan has it, with some other range, or float.
OperandChange random_change(const std::vector<OperandQuantization>& operands, std::mt19937& random) {
  const OperandQuantization& operand = operands[random() % operands.size()];
  OperandChange change{operand.node, operand.operand, operand.params, operand.rounding};
  switch (random() % 3) {
    case 0: change.params.reset(); break;
    case 1:
      for (float& scale : change.params->scale) scale *= 0.75F;
      break;
    default: change.rounding = Rounding::kPreserveSum; break;
  }
  return change;
}

TEST(Trials, GiveTheBitsOfTheWholeModelFromEitherBaseline) {
  std::mt19937 random(11);
  for (const char* config : kConfigs) {
    OpenedNetwork opened(config, kSamples);
    const std::vector<OperandQuantization> planned = decided_operands(opened.model.graph(), opened.plan);
    for (const bool from_float : {false, true}) {
      Trials trials(opened.model, {});
      trials.set_base(from_float ? std::vector<OperandQuantization>{} : planned);
      for (int i = 0; i < 30; ++i) {
        std::vector<OperandChange> changes;
        for (uint64_t n = random() % 3 + 1; n > 0; --n) changes.push_back(random_change(planned, random));
        const std::vector<OperandQuantization> operands = trials.changed(changes);
        const std::optional<MetricMeans> means = trials.measure(operands, Metric::kMse);
        ASSERT_TRUE(means);
        expect_equal(*means, measure_whole(opened, operands), config);
        if (i % 5 == 4) trials.accept();
      }
    }
  }
}

TEST(Trials, OfOneReaderLeaveTheOthersAlone) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  Trials trials(opened.model, {});
  trials.set_base(decided_operands(opened.model.graph(), opened.plan));
  const Graph& graph = opened.model.graph();
  // relu1 has two readers. Wider for conv2 alone, then for the Add alone, then for both: three different models.
  const auto widened = [&](const char* node, int index) {
    const OperandPlan& operand = *opened.plan.find(node, OperandRef::input(index));
    OperandChange change{graph.find_node(node), operand.operand, operand.params};
    change.params->scale[0] *= 4;
    return change;
  };
  const OperandChange conv = widened("conv2", 0), add = widened("add", 1);
  std::vector<double> errors;
  for (const std::vector<OperandChange>& changes : {std::vector{conv}, std::vector{add}, std::vector{conv, add}}) {
    const std::vector<OperandQuantization> operands = trials.changed(changes);
    const MetricMeans means = *trials.measure(operands, Metric::kMse);
    expect_equal(means, measure_whole(opened, operands), "readers");
    errors.push_back(means.mean(Metric::kMse));
  }
  EXPECT_NE(errors[0], errors[1]);
  EXPECT_NE(errors[0], errors[2]);
  EXPECT_NE(errors[1], errors[2]);
}

TEST(Trials, PackAndRunOnlyWhatAChangeConcerns) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  Trials trials(opened.model, {});
  trials.set_base(decided_operands(opened.model.graph(), opened.plan));
  const VariantCounters base = trials.counters();
  EXPECT_EQ(base.variants, 1);
  EXPECT_EQ(base.nodes_reused, 0);
  EXPECT_EQ(opened.model.counters().calibrations, 1);
  EXPECT_EQ(opened.model.samples().float_runs(), kSamples);

  // The last operator's weight: one kernel, one node per sample.
  const NodeId gemm = opened.model.graph().find_node("gemm");
  const OperandPlan& weight = *opened.plan.find("gemm", OperandRef::input(1));
  const auto operands = trials.changed({{gemm, OperandRef::input(1), weight.params, Rounding::kPreserveSum}});
  ASSERT_TRUE(trials.measure(operands, Metric::kMse));
  const VariantCounters after = trials.counters();
  EXPECT_EQ(after.variants, 2);
  EXPECT_EQ(after.kernels_made - base.kernels_made, 1);
  EXPECT_EQ(after.nodes_run - base.nodes_run, kSamples);
  EXPECT_GT(after.nodes_reused, 0);
  // Nothing was imported, calibrated or run in float again.
  EXPECT_EQ(opened.model.counters().calibrations, 1);
  EXPECT_EQ(opened.model.samples().float_runs(), kSamples);

  // The same once more is all there already.
  trials.accept();
  const VariantCounters accepted = trials.counters();
  EXPECT_EQ(accepted.nodes_run - after.nodes_run, kSamples);
  ASSERT_TRUE(trials.measure(operands, Metric::kMse));
  EXPECT_EQ(trials.counters().kernels_made, after.kernels_made);
  EXPECT_EQ(trials.counters().nodes_run, accepted.nodes_run);
}

TEST(Trials, ComputeAgainWhatTheirMemoryDoesNotHold) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  const std::vector<OperandQuantization> planned = decided_operands(opened.model.graph(), opened.plan);
  std::mt19937 random(5);
  for (const size_t cap : {size_t{0}, size_t{200}, size_t{3000}}) {
    Trials trials(opened.model, {.memory_cap = cap});
    trials.set_base(planned);
    for (int i = 0; i < 5; ++i) {
      const auto operands = trials.changed({random_change(planned, random)});
      expect_equal(*trials.measure(operands, Metric::kMse), measure_whole(opened, operands), "cap");
    }
  }
}

TEST(Trials, EndOnceTheyCanNoLongerWin) {
  OpenedNetwork opened(kConfigs[0], kSamples);
  Trials trials(opened.model, {});
  const std::vector<OperandQuantization> planned = decided_operands(opened.model.graph(), opened.plan);
  const double mse = trials.set_base(planned).mean(Metric::kMse);
  for (const Metric metric : {Metric::kMse, Metric::kCosineSimilarity, Metric::kSqnr}) {
    const double value = trials.measure(planned, metric)->mean(metric);
    // Its own value is not better than itself; whatever is measured to the end has the same value as without a limit.
    const std::optional<MetricMeans> again = trials.measure(planned, metric, value);
    EXPECT_TRUE(!again || again->mean(metric) == value);
  }
  EXPECT_FALSE(trials.measure(planned, Metric::kMse, mse / 1e6));
  ASSERT_TRUE(trials.measure(planned, Metric::kMse, mse * 2));
  EXPECT_EQ(trials.measure(planned, Metric::kMse, mse * 2)->mean(Metric::kMse), mse);
}

}  // namespace
}  // namespace twofold
