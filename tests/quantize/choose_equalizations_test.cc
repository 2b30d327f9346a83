#include "quantize/choose_equalizations.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plan/fingerprint.h"
#include "plan/plan_json.h"
#include "quantize/carry_over.h"
#include "quantize/check_plan.h"
#include "quantize/equalize.h"
#include "quantize/opened_network.h"
#include "quantize/small_network.h"

namespace twofold {
namespace {

// Keys of model_config.
constexpr char kInt8[] = "all_node_type: int8";
constexpr char kByMax[] = "activation: {calibration_type: max}, weight: {rounding: nearest}";

// Numbers around 0 whose channels, along `axis`, are `factors` as large.
ValueId uneven(GraphBuilder& b, const Shape& shape, int axis, const std::vector<float>& factors, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values = random_floats(random, static_cast<size_t>(num_elements(shape)), 1.0F);
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(axis) + 1; i < shape.size(); ++i) inner *= shape[i];
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] *= factors[i / static_cast<size_t>(inner) % factors.size()];
  }
  return b.floats(shape, values);
}

// Most channels 1, the third one `outlier`, the sixth one half of that.
std::vector<float> outliers(size_t channels, float outlier) {
  std::vector<float> factors(channels, 1.0F);
  factors[2] = outlier;
  factors[5] = outlier / 2;
  return factors;
}

std::vector<float> inverse(std::vector<float> factors) {
  for (float& factor : factors) factor = 1 / factor;
  return factors;
}

// Attention's half of a transformer block: normalization with outlier channels, as trained models have them, which the
// weights behind it make up for; a residual around it, or, `post`, from behind the normalization to the next one.
Graph transformer(float outlier, bool post = false) {
  GraphBuilder b;
  const std::vector<float> factors = outliers(16, outlier);
  const ValueId x = b.input("x", {1, 4, 16});
  const ValueId y = b.node("ln", "LayerNormalization", {x, b.floats({16}, factors), uneven(b, {16}, 0, factors, 1)});
  const ValueId q = b.node("q", "MatMul", {y, uneven(b, {16, 8}, 0, inverse(factors), 2)});
  const ValueId k = b.node("k", "MatMul", {y, uneven(b, {16, 8}, 0, inverse(factors), 3)});
  const ValueId v = b.node("v", "MatMul", {y, uneven(b, {16, 16}, 0, inverse(factors), 4)});
  const ValueId t = b.node("t", "Transpose", {k}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  const ValueId p = b.node("p", "Softmax", {b.node("scores", "MatMul", {q, t})});
  const ValueId sum = b.node("y", "Add", {post ? y : x, b.node("o", "MatMul", {p, v})});
  b.output(post ? b.node("next", "LayerNormalization", {sum, b.floats({16}, inverse(factors))}) : sum);
  return b.graph;
}

Graph convolutions(float outlier, bool depthwise) {
  GraphBuilder b;
  const std::vector<float> factors = outliers(8, outlier);
  const ValueId c =
      b.node("conv", "Conv",
             {b.input("x", {1, 4, 6, 6}), uneven(b, {8, 4, 3, 3}, 0, factors, 1), uneven(b, {8}, 0, factors, 2)});
  const ValueId r = b.node("r", "Relu", {c});
  if (depthwise) {
    b.output(b.node("d", "Conv", {r, uneven(b, {8, 1, 3, 3}, 0, inverse(factors), 3)}, {{"group", int64_t{8}}}));
  } else {
    b.output(b.node("d", "Conv", {r, uneven(b, {4, 8, 1, 1}, 1, inverse(factors), 3)}));
  }
  return b.graph;
}

std::unique_ptr<Dataset> samples_of(const Graph& graph, unsigned seed = 5) {
  std::mt19937 random(seed);
  Shape shape;
  for (const Dim& dim : *graph.value(graph.inputs[0]).type.shape) shape.push_back(dim.value);
  std::vector<std::map<std::string, Tensor>> samples(8);
  for (auto& sample : samples) {
    const std::vector<float> values = random_floats(random, static_cast<size_t>(num_elements(shape)), 1.0F);
    sample["x"] = Tensor::from<float>(shape, std::span<const float>(values));
  }
  return make_dataset(samples_in_memory(std::move(samples)), input_specs(graph));
}

struct Quantized {
  Plan plan;
  double sqnr = 0;
  Graph graph;
};

Quantized quantized(const Graph& graph, const std::string& keys, bool equalization = true) {
  const auto data = samples_of(graph);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  Quantized result{decided_plan(model, fmt::format("{{model_config: {{{}, equalization: {}}}}}", keys, equalization))};
  result.sqnr = model.evaluate(result.plan).mean(Metric::kSqnr);
  result.graph = model.apply(result.plan);
  return result;
}

std::vector<std::string> equalized_tensors(const Plan& plan) {
  std::vector<std::string> tensors;
  for (const Equalization& equalization : plan.equalizations) tensors.push_back(equalization.tensor);
  return tensors;
}

TEST(ChooseEqualizations, GainsManyDecibelsBehindNormalizations) {
  const Graph graph = transformer(64);
  const Quantized with = quantized(graph, kByMax), without = quantized(graph, kByMax, false);
  EXPECT_EQ(equalized_tensors(with.plan), (std::vector<std::string>{"ln"}));
  EXPECT_EQ(with.plan.equalizations[0].nodes, (std::vector<std::string>{"ln", "q", "k", "v"}));
  EXPECT_GT(with.sqnr, without.sqnr + 15);
  ASSERT_EQ(with.plan.notes.size(), without.plan.notes.size() + 1);
  EXPECT_TRUE(with.plan.notes.back().starts_with("1 tensor is equalized, whose channels were uneven ('ln'): "))
      << with.plan.notes.back();
}

// The normalization's result goes on as it is, which the constants of the normalization cannot give as well.
TEST(ChooseEqualizations, MultipliesWhereNothingCanBeFolded) {
  const Graph graph = transformer(64, true);
  const Quantized with = quantized(graph, kByMax), without = quantized(graph, kByMax, false);
  ASSERT_EQ(equalized_tensors(with.plan), (std::vector<std::string>{"ln"}));
  EXPECT_TRUE(with.plan.equalizations[0].inserted);
  EXPECT_EQ(with.plan.equalizations[0].nodes, (std::vector<std::string>{"q", "k", "v"}));
  EXPECT_GT(with.sqnr, without.sqnr + 10);
  EXPECT_NE(with.plan.notes.back().find("1 by a Mul of floats in front of the products"), std::string::npos);
  EXPECT_TRUE(with.plan.of_node("ln/equalize").empty()) << "it stays float, and nothing is to be configured";
  EXPECT_EQ(plan_from_json(plan_to_json(with.plan), "plan.json"), with.plan);
}

TEST(ChooseEqualizations, GainsBetweenConvolutions) {
  for (const bool depthwise : {false, true}) {
    const Graph graph = convolutions(100, depthwise);
    const Quantized with = quantized(graph, kByMax), without = quantized(graph, kByMax, false);
    EXPECT_EQ(equalized_tensors(with.plan), (std::vector<std::string>{"conv"}));
    EXPECT_GT(with.sqnr, without.sqnr + 10) << depthwise;
  }
}

// Weights of a depthwise Conv have a scale for each channel: the whole range goes over to them.
TEST(ChooseEqualizations, MakesChannelsEvenBeforeDepthwiseConvolutions) {
  const std::vector<int> exponents = quantized(convolutions(128, true), kByMax).plan.equalizations.at(0).exponents;
  EXPECT_NEAR(exponents[2] - exponents[0], 7, 1);
  EXPECT_NEAR(exponents[5] - exponents[0], 6, 1);
}

TEST(ChooseEqualizations, LeavesEvenNetworksAlone) {
  for (const Graph& graph : {transformer(1), convolutions(1, false), convolutions(1, true), small_network(3)}) {
    const Quantized with = quantized(graph, kInt8), without = quantized(graph, kInt8, false);
    EXPECT_TRUE(with.plan.equalizations.empty());
    EXPECT_EQ(with.plan, without.plan);
  }
}

TEST(ChooseEqualizations, LeavesAloneWhatIsNotInt8) {
  const Graph graph = transformer(64);
  EXPECT_TRUE(quantized(graph, "all_node_type: int16").plan.equalizations.empty());
  EXPECT_TRUE(quantized(graph, "all_node_type: float32").plan.equalizations.empty());
}

TEST(ChooseEqualizations, TakesNoStatisticsOfTheModelAsItWas) {
  const Graph graph = transformer(64);
  const auto data = samples_of(graph);
  CalibratedModel model(graph, data.get(), {.threads = 1});
  model.observe();
  const Plan plan = decided_plan(model, "{}");
  EXPECT_TRUE(plan.equalizations.empty());
  EXPECT_EQ(plan.notes.back(),
            "no tensor is equalized, though 1 could be tried: the statistics are those of the model as it is");
}

TEST(ChooseEqualizations, ThePlanMakesTheSameModelAgain) {
  const Graph graph = transformer(64);
  const Quantized made = quantized(graph, kByMax);
  const Plan read = plan_from_json(plan_to_json(made.plan), "plan.json");
  EXPECT_EQ(read, made.plan);
  EXPECT_NO_THROW(check_same_model(read, graph)) << "hashes are those of the model as it was";
  CalibratedModel again(graph, nullptr, {.threads = 1});
  again.equalize(read.equalizations);
  EXPECT_NO_THROW(check_plan(read, again.graph()));
  const auto data = samples_of(graph, 6);
  const auto expected = run_whole(made.graph, *data, 2), found = run_whole(again.apply(read), *data, 2);
  for (size_t s = 0; s < 2; ++s) {
    const std::span<const float> a = expected[s][0].data<float>(), b = found[s][0].data<float>();
    EXPECT_TRUE(std::ranges::equal(a, b));
  }
}

TEST(ChooseEqualizations, CarriesOverToOtherWeights) {
  const Graph graph = transformer(64);
  const Plan plan = quantized(graph, kByMax).plan;
  Graph retrained = graph;
  const ValueId weight = retrained.node(retrained.find_node("q")).input(1);
  Tensor doubled = *retrained.constant(weight);
  for (float& w : doubled.mutable_data<float>()) w *= 2;
  retrained.set_constant(weight, doubled);
  const Plan carried = carry_over(plan, retrained);
  EXPECT_EQ(carried.equalizations, plan.equalizations);
  const OperandPlan *before = plan.find("q", OperandRef::input(1)), *now = carried.find("q", OperandRef::input(1));
  for (size_t c = 0; c < before->params->scale.size(); ++c) {
    EXPECT_EQ(now->params->scale[c], 2 * before->params->scale[c]);
  }
  EXPECT_EQ(carried.find("q", OperandRef::input(0))->params, plan.find("q", OperandRef::input(0))->params);
}

TEST(ChooseEqualizations, LeavesOutWhatCannotBeCarriedOver) {
  const Graph graph = transformer(64);
  const Plan plan = quantized(graph, kByMax).plan;
  Graph other = graph;  // the normalization is an output as well
  other.outputs.push_back({"ln", other.find_value("ln")});
  const Plan carried = carry_over(plan, other);
  EXPECT_TRUE(carried.equalizations.empty());
  for (const char* node : {"q", "k", "v"}) EXPECT_TRUE(carried.of_node(node).empty()) << node;
  EXPECT_FALSE(carried.of_node("o").empty());
  EXPECT_EQ(carried.notes.back(),
            "tensor 'ln': its channels cannot be scaled: 'ln' is an output of the model: not carried over, and its "
            "nodes stay float32");
}

}  // namespace
}  // namespace twofold
