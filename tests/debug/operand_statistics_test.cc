// The numbers of operands before and after they are quantized, by hand.
#include "debug/operand_statistics.h"

#include <gtest/gtest.h>

#include <limits>

#include "debug/channel_of.h"
#include "debug/observe_tensors.h"
#include "passes/graph_builder.h"
#include "quantize/opened_network.h"

namespace twofold {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// x [1,2,2] is multiplied by a weight [2,3], of which the first column sums to more than the nearest integers do.
struct Product {
  explicit Product(const std::vector<std::vector<float>>& samples,
                   const std::vector<float>& weights = {0.3F, -1, 10, 0.3F, 0.2F, 0}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {1, 2, 2});
    const ValueId w = b.floats({2, 3}, weights);
    b.output(b.node("product", "MatMul", {x, w}));
    weight = b.graph.value(w).name;
    std::vector<std::map<std::string, Tensor>> data_of_samples;
    for (const std::vector<float>& values : samples) {
      data_of_samples.push_back({{"x", Tensor::from<float>({1, 2, 2}, std::span<const float>(values))}});
    }
    data = make_dataset(samples_in_memory(std::move(data_of_samples)), input_specs(b.graph));
    model = std::make_unique<CalibratedModel>(b.graph, data.get(), CalibratedModel::Options{.threads = 1});
  }

  // A plan with one operand.
  static Plan plan(OperandRef operand, const std::string& value, QParams params, bool is_weight = false) {
    OperandPlan planned{"product", "MatMul", operand, value, is_weight};
    planned.granted = params.qtype;
    planned.params = std::move(params);
    Plan plan;
    plan.add(planned);
    return plan;
  }

  OperandStatistics of(const Plan& plan, size_t bins = 4) const {
    return operand_statistics(*model, plan, {0}, bins).front();
  }

  std::string weight;
  std::unique_ptr<Dataset> data;
  std::unique_ptr<CalibratedModel> model;
};

TEST(OperandStatistics, OfAnActivationAreThoseOfAllSamples) {
  const Product product({{1, -2, 0.75F, 0.25F}, {3, 1, -1, 0}});
  // Steps of 0.5 from -64 to 63.5; a tie goes to the even integer.
  const OperandStatistics found = product.of(Product::plan(OperandRef::input(0), "x", {QType::kInt8, -1, {0.5F}, {}}));
  EXPECT_EQ(found.shape, (Shape{1, 2, 2}));
  EXPECT_EQ(found.count, 8U);
  EXPECT_EQ(found.before.min, -2);
  EXPECT_EQ(found.before.max, 3);
  EXPECT_EQ(found.before.mean, 0.375);
  EXPECT_DOUBLE_EQ(found.before.deviation, std::sqrt(16.625 / 8 - 0.375 * 0.375));
  EXPECT_EQ(found.after.min, -2);
  EXPECT_EQ(found.after.max, 3);
  EXPECT_EQ(found.after.mean, 0.375);  // 0.75 becomes 1, and 0.25 becomes 0
  EXPECT_EQ(found.clipped, 0);
  EXPECT_EQ(found.error.value(Metric::kMse), 2 * 0.0625 / 8);
  // Three integers in each bin: -2, -1.5 and -1 in the first.
  EXPECT_EQ(found.bins.low, -2.25);
  EXPECT_EQ(found.bins.step, 1.5);
  EXPECT_EQ(found.bins.before, (std::vector<uint64_t>{2, 2, 3, 1}));
  EXPECT_EQ(found.bins.after, (std::vector<uint64_t>{2, 2, 3, 1}));
  // Of what a MatMul multiplies, channels lie along the last axis.
  EXPECT_EQ(found.channel_axis, 2);
  EXPECT_EQ(found.worst_channels, (std::vector<std::pair<int, double>>{{0, 0.5}, {1, 0.5}}));
}

TEST(OperandStatistics, ClippedIsWhatNoIntegerIsNear) {
  // From -128 to 127; half a step farther numbers are rounded to these ends.
  const Product product({{127.5F, 127.51F, -128.5F, -129}});
  EXPECT_EQ(product.of(Product::plan(OperandRef::input(0), "x", {QType::kInt8, -1, {1}, {}})).clipped, 0.5);
  // From 0 to 255.
  EXPECT_EQ(product.of(Product::plan(OperandRef::input(0), "x", {QType::kInt8, -1, {1}, {-128}})).clipped, 0.5);
  // From -32640 to 32385 steps of 1 / 254.
  EXPECT_EQ(product.of(Product::plan(OperandRef::input(0), "x", {QType::kEc, -1, {1}, {}})).clipped, 0.5);
  EXPECT_EQ(product.of(Product::plan(OperandRef::input(0), "x", {QType::kInt16, -1, {1}, {}})).clipped, 0);
}

TEST(OperandStatistics, AWeightIsRoundedAsThePlanSays) {
  const Product product({{1, 1, 1, 1}});
  Plan plan = Product::plan(OperandRef::input(1), product.weight, {QType::kInt8, 1, {1, 1, 1}, {}}, true);
  const OperandStatistics nearest = product.of(plan);
  EXPECT_EQ(nearest.after.mean, 9.0 / 6);
  EXPECT_EQ(nearest.channel_axis, 1);
  EXPECT_EQ(nearest.worst_channels.front().first, 0);
  plan.operand(0).weight.rounding = {Rounding::kPreserveSum};
  const OperandStatistics kept = product.of(plan);
  // One of the two 0.3 of the first column becomes 1, as its sum is 0.6.
  EXPECT_EQ(kept.after.mean, 10.0 / 6);
  EXPECT_EQ(kept.clipped, 0);
}

TEST(OperandStatistics, WhatIsNoNumberIsInNoBin) {
  const auto counted = [](const std::vector<float>& weights) {
    const Product product({{1, 1, 1, 1}}, weights);
    const OperandStatistics found =
        product.of(Product::plan(OperandRef::input(1), product.weight, {QType::kInt8, -1, {1}, {}}));
    uint64_t sum = 0;
    for (const uint64_t n : found.bins.before) sum += n;
    return sum;
  };
  EXPECT_EQ(counted({1, kInfinity, -kInfinity, 2, kNan, 3}), 5U);
  EXPECT_EQ(counted(std::vector<float>(6, kNan)), 0U);
  EXPECT_EQ(counted(std::vector<float>(6, 2)), 6U);
}

TEST(ChannelBoxes, AreQuartilesOverAllSamples) {
  const Product product({{1, 8, 5, 6}, {3, 4, 7, 2}});
  const ValueId x = product.model->graph().find_value("x"), w = product.model->graph().find_value(product.weight);
  auto boxes = channel_boxes(*product.model, {{x, 2}, {w, 0}});
  // Of 1, 3, 5, 7 the first, the first, the second, the third and the last.
  EXPECT_EQ(boxes[x], (std::vector<Box>{{1, 1, 3, 5, 7}, {2, 2, 4, 6, 8}}));
  EXPECT_EQ(boxes[w], (std::vector<Box>{{-1, -1, 0.3F, 0.3F, 10}, {0, 0, 0.2F, 0.2F, 0.3F}}));
  EXPECT_EQ(channel_boxes(*product.model, {{x, 0}})[x], (std::vector<Box>{{1, 2, 4, 6, 8}}));
}

TEST(ChannelBoxes, LeaveNanOut) {
  const Product product({{1, 1, 1, 1}}, {kNan, 8, 5, kNan, kNan, kNan});
  const ValueId w = product.model->graph().find_value(product.weight);
  EXPECT_EQ(channel_boxes(*product.model, {{w, 0}})[w], (std::vector<Box>{{5, 5, 5, 5, 8}, {0, 0, 0, 0, 0}}));
}

TEST(ObserveTensors, GivesConstantsOnceAndOthersForEverySample) {
  OpenedNetwork opened("", 3);
  const Graph& graph = opened.model.graph();
  const Node& conv = graph.node(graph.find_node("conv1"));
  const ValueId softmax = graph.node(graph.find_node("softmax")).outputs[0];
  std::map<ValueId, int> seen;
  observe_tensors(opened.model, {conv.inputs[0], conv.inputs[1], softmax}, [&](ValueId value, const Tensor& tensor) {
    ++seen[value];
    EXPECT_EQ(tensor.dtype(), DType::kFloat32);
    EXPECT_EQ(tensor.layout(), Layout::kPlain);
  });
  EXPECT_EQ(seen, (std::map<ValueId, int>{{conv.inputs[0], 3}, {conv.inputs[1], 1}, {softmax, 3}}));
}

TEST(ChannelAxis, IsThatOfTheOperator) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 2, 3, 3}), m = b.input("m", {2, 3, 4});
  const ValueId filters = b.floats({2, 2, 1, 1}, {1, 2, 3, 4}), columns = b.floats({4, 2}, std::vector<float>(8, 1));
  const ValueId bias = b.floats({2}, {1, 2});
  b.node("conv", "Conv", {x, filters});
  b.node("product", "MatMul", {m, columns});
  b.node("square", "MatMul", {m, m});
  b.node("gemm", "Gemm", {columns, columns}, {{"transB", int64_t{1}}});
  b.node("add", "Add", {x, bias});
  b.node("sum", "Add", {m, m});
  const auto axis = [&](const char* node, int input, int rank) {
    return channel_axis(b.graph, b.graph.node(b.graph.find_node(node)), input, rank);
  };
  EXPECT_EQ(axis("conv", 0, 4), 1);
  EXPECT_EQ(axis("conv", 1, 4), 0);
  EXPECT_EQ(axis("product", 0, 3), 2);
  EXPECT_EQ(axis("product", 1, 2), 1);
  EXPECT_EQ(axis("square", 0, 3), 2);
  EXPECT_EQ(axis("square", 1, 3), 1);
  EXPECT_EQ(axis("gemm", 1, 2), 0);
  EXPECT_EQ(axis("add", 0, 4), 1);
  EXPECT_EQ(axis("add", 1, 1), 0);
  EXPECT_EQ(axis("sum", 0, 3), 2);
  EXPECT_EQ(axis("sum", 0, 1), -1);
}

TEST(ChannelOf, CountsAlongTheAxis) {
  const ChannelOf middle({2, 3, 2}, 1);
  EXPECT_EQ(middle.count(), 3U);
  const std::vector<size_t> expected = {0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(middle(i), expected[i]);
  const ChannelOf whole({2, 3}, -1);
  EXPECT_EQ(whole.count(), 1U);
  EXPECT_EQ(whole(5), 0U);
  EXPECT_EQ(ChannelOf({0, 4}, 0).count(), 0U);
}

}  // namespace
}  // namespace twofold
