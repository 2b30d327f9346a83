// Estimates of what units do to a model, against what they do.
#include "debug/estimate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "debug/cotangents.h"
#include "debug/grouping.h"
#include "debug/local_errors.h"
#include "debug/rank_agreement.h"
#include "quantize/decide.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

// Symmetric, so that what the tests say of sums and of the order of units holds for these few numbers.
const char* const kMax =
    "model_config: {activation: {calibration_type: max, asymmetric: false}, weight: {rounding: nearest}}";

// A network of x [1,4,6,6], calibrated and with a plan that is decided.
struct Opened {
  explicit Opened(const Graph& graph, const std::string& config = kMax, int samples = 1)
      : data(random_samples(graph, samples, 5)),
        model(graph, data.get(), {.threads = 1}),
        plan(decided_plan(model, config)) {}

  std::vector<Unit> units(UnitKind kind = UnitKind::kNode) const { return units_of(model.graph(), plan, kind); }
  Estimates estimate(const std::vector<Unit>& units, EstimateOptions options = {}) {
    if (options.outputs.empty()) {
      options.outputs.resize(model.graph().outputs.size());
      std::iota(options.outputs.begin(), options.outputs.end(), size_t{0});
    }
    return estimate_sensitivity(model, plan, units, options);
  }
  std::vector<Sensitivity> measure(const std::vector<Unit>& units) {
    return measure_sensitivity(model, plan, units, {.threads = 1});
  }

  std::unique_ptr<Dataset> data;
  CalibratedModel model;
  Plan plan;
};

class NetworkBuilder : public GraphBuilder {
 public:
  ValueId weight(const Shape& shape) {
    return floats(shape, random_floats(random_, static_cast<size_t>(num_elements(shape)), 0.3F));
  }
  ValueId conv(const std::string& name, ValueId x, int64_t from, int64_t to) {
    return node(name, "Conv", {x, weight({to, from, 3, 3}), weight({to})},
                {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  }
  // [1,channels,6,6] -> [1,to]
  ValueId gemm(const std::string& name, ValueId x, int64_t channels, int64_t to) {
    const ValueId flat = node(name + "_rows", "Reshape", {x, ints({1, channels * 36})});
    return node(name, "Gemm", {flat, weight({channels * 36, to}), weight({to})});
  }

 private:
  std::mt19937 random_{7};
};

// Convolutions, and an addition of two branches: y has `outputs` numbers.
Graph linear_network(int64_t outputs) {
  NetworkBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId conv1 = b.conv("conv1", x, 4, 8), conv2 = b.conv("conv2", conv1, 8, 8);
  const ValueId add = b.node("add", "Add", {conv2, conv1});
  b.output(b.gemm("gemm", b.conv("conv3", add, 8, 2), 2, outputs));
  return b.graph;
}

// How far two relative energies may be apart because of float rounding, which changes outputs by a few 1e-7.
double rounding(double noise) { return 1e-3 + 6e-7 / std::sqrt(std::max(noise, 1e-12)); }

void expect_same_noise(double estimate, double exact, const std::string& unit) {
  EXPECT_NEAR(estimate, exact, exact * rounding(exact) + 1e-13) << unit;
}

TEST(Estimate, IsExactOfFewOutputsOfALinearNetwork) {
  const char* const configs[] = {
      kMax,
      "model_config: {activation: {calibration_type: percentile, max_percentile: 0.99, asymmetric: true}, weight: "
      "{rounding: nearest, bias_correction: {num_sample: 2}}}",
      "{model_config: {activation: {calibration_type: max}, model_output_type: int8}, op_config: {Conv: {qtype: "
      "int16-ec}, Gemm: {qtype: dual-int16}}}",
      "{model_config: {activation: {calibration_type: max}}, op_config: {Add: {qtype: float16}, Conv: {output0: "
      "int8}}}",
  };
  for (const char* config : configs) {
    Opened opened(linear_network(5), config, 3);
    for (const UnitKind kind : {UnitKind::kNode, UnitKind::kWeight, UnitKind::kActivation}) {
      const std::vector<Unit> units = opened.units(kind);
      const Estimates found = opened.estimate(units);
      const std::vector<Sensitivity> exact = opened.measure(units);
      EXPECT_EQ(found.sweeps, 3 * 5);
      EXPECT_TRUE(found.notes.empty());
      for (size_t i = 0; i < units.size(); ++i) {
        ASSERT_TRUE(found.units[i]);
        const UnitEstimate& estimate = *found.units[i];
        expect_same_noise(estimate.noise, exact[i].noise({0}), units[i].name);
        EXPECT_EQ(estimate.error, 0);
        const auto mean = [](const Sensitivity& sensitivity, Metric metric) { return sensitivity.mean(0, metric); };
        const double mse = mean(exact[i], Metric::kMse), cosine = mean(exact[i], Metric::kCosineSimilarity);
        const double tolerance = rounding(exact[i].noise({0}));
        EXPECT_NEAR(mean(estimate.sensitivity, Metric::kMse), mse, tolerance * mse) << units[i].name;
        EXPECT_NEAR(mean(estimate.sensitivity, Metric::kCosineSimilarity), cosine, tolerance * (1 - cosine) + 1e-7);
        EXPECT_NEAR(mean(estimate.sensitivity, Metric::kSqnr), -10 * std::log10(estimate.noise), 1e-9);
        EXPECT_TRUE(std::isnan(mean(estimate.sensitivity, Metric::kMae)));
      }
    }
  }
}

// To first order the errors of a group's nodes add up; what one does to the integers of the next is left out.
TEST(Estimate, OfGroupsIsOfTheSumOfTheirErrors) {
  Opened opened(linear_network(5), kMax, 3);
  const std::vector<Unit> groups = group_units(opened.model.graph(), opened.plan, ByOpType{});
  const Estimates found = opened.estimate(groups);
  const std::vector<Sensitivity> exact = opened.measure(groups);
  for (size_t i = 0; i < groups.size(); ++i) {
    const double noise = exact[i].noise({0});
    EXPECT_NEAR(found.units[i]->noise, noise, 0.3 * noise) << groups[i].name;
  }
}

TEST(Estimate, OfOneNumberTakesOneSweep) {
  Opened opened(linear_network(1));
  const std::vector<Unit> units = opened.units();
  const Estimates found = opened.estimate(units);
  const std::vector<Sensitivity> exact = opened.measure(units);
  EXPECT_EQ(found.sweeps, 1);
  for (size_t i = 0; i < units.size(); ++i) {
    expect_same_noise(found.units[i]->noise, exact[i].noise({0}), units[i].name);
    EXPECT_DOUBLE_EQ(found.units[i]->sensitivity.mean(0, Metric::kCosineSimilarity), 1);
  }
}

TEST(Estimate, IsWithinItsUncertaintyOfALinearNetwork) {
  Opened opened(linear_network(64), kMax, 2);
  const std::vector<Unit> units = opened.units();
  const std::vector<Sensitivity> exact = opened.measure(units);
  double last = std::numeric_limits<double>::infinity();
  for (const int64_t probes : {8, 20000}) {
    const Estimates found = opened.estimate(units, {.top = 1, .least_probes = probes, .most_probes = probes});
    EXPECT_EQ(found.sweeps, 2 + probes);
    for (size_t i = 0; i < units.size(); ++i) {
      const UnitEstimate& estimate = *found.units[i];
      EXPECT_GT(estimate.error, 0);
      // Of the logarithms: an estimate that is too small says so of its error too.
      const double sure = 3 * estimate.error / estimate.noise;
      EXPECT_NEAR(std::log(estimate.noise), std::log(exact[i].noise({0})), sure) << units[i].name;
      const double lost = 1 - exact[i].mean(0, Metric::kCosineSimilarity);
      EXPECT_NEAR(std::log(1 - estimate.sensitivity.mean(0, Metric::kCosineSimilarity)), std::log(lost), 2 * sure);
    }
    EXPECT_LT(found.units[0]->error, last);
    last = found.units[0]->error;
  }
}

TEST(Estimate, IsCloseWhereErrorsAreSmall) {
  for (const unsigned seed : {3U, 4U, 5U}) {
    OpenedNetwork opened(kMax, 2, seed);
    const std::vector<Unit> units = units_of(opened.model.graph(), opened.plan, UnitKind::kNode);
    const std::vector<Sensitivity> exact = measure_sensitivity(opened.model, opened.plan, units, {.threads = 1});
    const Estimates found = estimate_sensitivity(opened.model, opened.plan, units,
                                                 {.outputs = {0}, .top = 3, .least_probes = 300, .most_probes = 300});
    std::vector<double> noise, estimates;
    for (size_t i = 0; i < units.size(); ++i) {
      noise.push_back(exact[i].noise({0}));
      estimates.push_back(found.units[i]->noise);
      EXPECT_NEAR(10 * std::log10(estimates[i]), 10 * std::log10(noise[i]), 1.5) << units[i].name;
    }
    EXPECT_GT(rank_agreement(noise, estimates).value_or(0), 0.9);
    const std::vector<size_t> chosen = units_to_confirm(found, {0}, Metric::kSqnr, 3);
    const auto worst = static_cast<size_t>(std::ranges::max_element(noise) - noise.begin());
    EXPECT_TRUE(std::ranges::find(chosen, worst) != chosen.end());
  }
}

TEST(Estimate, IsTheSameForAnyNumberOfThreadsAndMemory) {
  Opened opened(linear_network(64), kMax, 3);
  const std::vector<Unit> units = opened.units(UnitKind::kActivation);
  const Estimates one = opened.estimate(units, {.top = 1, .threads = 1});
  for (const int threads : {1, 2, 5}) {
    for (const size_t memory : {size_t{0}, size_t{20'000}, size_t{1} << 30}) {
      const Estimates other = opened.estimate(units, {.top = 1, .threads = threads, .memory_cap = memory});
      EXPECT_EQ(other.sweeps, one.sweeps);
      for (size_t i = 0; i < units.size(); ++i) {
        EXPECT_EQ(other.units[i]->noise, one.units[i]->noise);
        EXPECT_EQ(other.units[i]->error, one.units[i]->error);
        EXPECT_EQ(other.units[i]->sensitivity.mean(0, Metric::kMse), one.units[i]->sensitivity.mean(0, Metric::kMse));
      }
    }
  }
}

TEST(Estimate, AddsProbesUntilTheWorstAreSettled) {
  Opened opened(linear_network(64));
  const std::vector<Unit> units = opened.units();
  EXPECT_EQ(opened.estimate(units, {.top = units.size()}).sweeps, 1 + 3) << "all are measured";
  // Two that are close cannot be told apart by ten probes.
  EXPECT_EQ(opened.estimate(units, {.top = 1, .least_probes = 2, .most_probes = 10}).sweeps, 1 + 10);
  EXPECT_EQ(opened.estimate(units, {.top = 0, .least_probes = 2}).sweeps, 1 + 2);
}

TEST(Estimate, SaysWhatTheGradientDoesNotReach) {
  NetworkBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId rows = b.node("rows", "Reshape", {b.conv("before", x, 4, 4), b.ints({6, 1, 24})});
  const ValueId gru =
      b.node("gru", "GRU", {rows, b.weight({1, 24, 24}), b.weight({1, 24, 8})}, {{"hidden_size", int64_t{8}}});
  const ValueId flat = b.node("flat", "Reshape", {gru, b.ints({6, 8})});
  b.output(b.node("behind", "MatMul", {flat, b.weight({8, 2})}));
  Opened opened(b.graph);
  const std::vector<Unit> units = opened.units();
  const Estimates found = opened.estimate(units);
  const std::vector<size_t> chosen = units_to_confirm(found, {0}, Metric::kSqnr, 0);
  std::vector<size_t> unknown;
  for (size_t i = 0; i < units.size(); ++i) {
    if (!found.units[i]) unknown.push_back(i);
    EXPECT_TRUE(units[i].name != "before" || !found.units[i]);
    if (units[i].name != "behind") continue;
    ASSERT_TRUE(found.units[i]);
    expect_same_noise(found.units[i]->noise, opened.measure({units[i]})[0].noise({0}), "behind");
  }
  EXPECT_EQ(chosen, unknown);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("cannot be estimated and are measured: node 'gru' (GRU): no rule for GRU"),
            std::string::npos)
      << found.notes[0];
}

TEST(Estimate, DoesNotTakeStepsForNoError) {
  NetworkBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  b.output(b.node("round", "Round", {b.conv("conv", x, 4, 2)}));
  b.output(b.conv("smooth", x, 4, 2));
  Opened opened(b.graph);
  const std::vector<Unit> units = opened.units();
  const Estimates found = opened.estimate(units);
  for (size_t i = 0; i < units.size(); ++i) EXPECT_EQ(found.units[i].has_value(), units[i].name == "smooth");
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("the output changes in steps only"), std::string::npos) << found.notes[0];
}

TEST(Estimate, OfSeveralOutputsIsThatOfTheWorst) {
  NetworkBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId trunk = b.conv("trunk", x, 4, 8);
  b.output(b.gemm("left", trunk, 8, 3));
  b.output(b.gemm("right", trunk, 8, 4));
  Opened opened(b.graph, kMax, 2);
  const std::vector<Unit> units = opened.units();
  const std::vector<Sensitivity> exact = opened.measure(units);
  const Estimates both = opened.estimate(units), left = opened.estimate(units, {.outputs = {0}});
  EXPECT_EQ(both.sweeps, 2 * (3 + 4));
  EXPECT_EQ(left.sweeps, 2 * 3);
  for (size_t i = 0; i < units.size(); ++i) {
    expect_same_noise(both.units[i]->noise, exact[i].noise({0, 1}), units[i].name);
    expect_same_noise(left.units[i]->noise, exact[i].noise({0}), units[i].name);
    EXPECT_TRUE(std::isnan(left.units[i]->sensitivity.mean(1, Metric::kMse)));
    if (units[i].name != "right") continue;
    EXPECT_EQ(left.units[i]->noise, 0);
    EXPECT_EQ(left.units[i]->sensitivity.mean(0, Metric::kSqnr), std::numeric_limits<double>::infinity());
    EXPECT_EQ(left.units[i]->sensitivity.mean(0, Metric::kCosineSimilarity), 1);
  }
}

TEST(Estimate, IsNothingWhereNothingIsLost) {
  GraphBuilder b;
  std::vector<float> integers(24 * 4 * 9);
  for (size_t i = 0; i < integers.size(); ++i) integers[i] = static_cast<float>(i % 36 == 0 ? 127 : i % 19);
  const ValueId x = b.input("x", {1, 4, 6, 6});
  b.output(b.node("conv", "Conv", {x, b.floats({24, 4, 3, 3}, integers)}));
  Opened opened(b.graph);
  const std::vector<Unit> units = opened.units(UnitKind::kWeight);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_LT(opened.estimate(units).units[0]->noise, 1e-12);
  EXPECT_TRUE(opened.estimate({}).units.empty());
}

TEST(Estimate, StaysANumberWithoutASignal) {
  NetworkBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId conv = b.conv("conv", x, 4, 2);
  b.output(b.node("difference", "Sub", {conv, b.node("same", "Abs", {b.node("abs", "Neg", {conv})})}));
  b.output(b.node("nothing", "Mul", {conv, b.scalar(0)}));
  Opened opened(b.graph);
  const std::vector<Unit> units = opened.units();
  const Estimates found = opened.estimate(units);
  for (size_t i = 0; i < units.size(); ++i) {
    ASSERT_TRUE(found.units[i]);
    EXPECT_TRUE(std::isfinite(found.units[i]->noise)) << units[i].name;
  }
}

TEST(UnitNodes, CountTheSameIntegersOnce) {
  Opened opened(linear_network(5),
                "{model_config: {activation: {calibration_type: max}}, op_config: {Conv: {output0: int8}}}");
  const Graph& graph = opened.model.graph();
  std::vector<OperandQuantization> unit;
  for (const OperandPlan& operand : opened.plan.operands()) {
    if (operand.value == "conv2" && is_integer(operand.granted)) unit.push_back(decided_operand(graph, operand));
  }
  ASSERT_EQ(unit.size(), 2U);
  const std::vector<UnitNode> nodes = unit_nodes(graph, {unit});
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(graph.node(nodes[0].node).name, "conv2");
  unit[1].params.scale[0] *= 2;
  EXPECT_EQ(unit_nodes(graph, {unit}).size(), 2U);
}

TEST(Cotangents, AreAlongTheOutputOrAcross) {
  std::vector<float> numbers(100);
  std::iota(numbers.begin(), numbers.end(), -20.0F);
  const Tensor y = Tensor::from<float>({4, 25}, numbers);
  const Cotangents cotangents(y, 3);
  const auto dot = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (size_t i = 0; i < a.data<float>().size(); ++i)
      sum += static_cast<double>(a.data<float>()[i]) * b.data<float>()[i];
    return sum;
  };
  EXPECT_NEAR(dot(cotangents.along(), cotangents.along()), 1, 1e-6);
  EXPECT_NEAR(dot(cotangents.along(), y), std::sqrt(cotangents.signal()), 1e-3);
  double length = 0;
  for (int64_t k = 0; k < 100; ++k) {
    const Tensor v = cotangents.across(k);
    EXPECT_NEAR(dot(v, y), 0, 0.01);
    length += dot(v, v) / 100;
  }
  EXPECT_NEAR(length, 99, 1) << "one of a hundred directions is missing";
  EXPECT_NE(dot(cotangents.across(0), cotangents.across(0)), dot(cotangents.across(0), cotangents.across(1)));
  EXPECT_EQ(cotangents.unit(7).data<float>()[7], 1);
  EXPECT_EQ(cotangents.share(0), -20 / std::sqrt(cotangents.signal()));
}

TEST(RankAgreement, IsSpearmans) {
  const auto agreement = [](const std::vector<double>& a, const std::vector<double>& b) {
    return rank_agreement(a, b);
  };
  EXPECT_EQ(agreement({1, 2, 3}, {10, 20, 1000}), 1);
  EXPECT_EQ(agreement({1, 2, 3}, {3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(agreement({1, 2, 3, 4}, {1, 3, 2, 4}).value(), 0.8);
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
  EXPECT_DOUBLE_EQ(agreement({1, 2, 2, 4}, {1, 2, 3, 4}).value(), 4.5 / std::sqrt(4.5 * 5));
  EXPECT_FALSE(agreement({}, {}));
  EXPECT_FALSE(agreement({1}, {1}));
  EXPECT_FALSE(agreement({1, 1}, {1, 2}));
}

}  // namespace
}  // namespace twofold
