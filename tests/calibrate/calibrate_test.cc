#include "calibrate/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/message_of.h"
#include "calibrate/range_search.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

using testing::message_of;

// x [2,3] -> QuantizeLinear -> DequantizeLinear -> y, with steps of 0.5.
struct Model {
  Graph graph;
  ValueId x, scale, q, y;

  Model() {
    x = graph.add_value("x", {DType::kFloat32, std::vector<Dim>{{2, ""}, {3, ""}}});
    scale = graph.add_constant("scale", Tensor::scalar(0.5F));
    const ValueId zero = graph.add_constant("zero", Tensor::scalar(int8_t{0}));
    q = graph.add_value("q");
    y = graph.add_value("y");
    graph.inputs = {x};
    graph.outputs = {{"y", y}};
    graph.add_node({.name = "quantize",
                    .op_type = "QuantizeLinear",
                    .domain = "",
                    .inputs = {x, scale, zero},
                    .outputs = {q},
                    .attributes = {}});
    graph.add_node({.name = "dequantize",
                    .op_type = "DequantizeLinear",
                    .domain = "",
                    .inputs = {q, scale, zero},
                    .outputs = {y},
                    .attributes = {}});
  }
};

std::unique_ptr<Dataset> dataset_of(const Graph& graph, const std::vector<std::vector<float>>& samples) {
  const std::vector<InputSpec> inputs = input_specs(graph);
  std::vector<std::map<std::string, Tensor>> named;
  for (const auto& values : samples) named.push_back({{inputs[0].name, Tensor::from<float>({2, 3}, values)}});
  return make_dataset(samples_in_memory(std::move(named)), inputs);
}

std::vector<std::vector<float>> random_samples(size_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 4.0F);
  std::vector<std::vector<float>> samples(n, std::vector<float>(6));
  for (auto& sample : samples) std::ranges::generate(sample, [&] { return normal(random); });
  return samples;
}

TEST(Calibrate, ObservesInputsConstantsAndComputedValues) {
  const Model model;
  const auto data = dataset_of(model.graph, {{1, -2, 3.3F, 0, 0, 0}, {0.2F, 0.3F, 0, 0, 0, -9.1F}});
  const CalibrationResult result =
      calibrate(model.graph, *data, {{model.x}, {model.scale, ObserveLevel::kMinMax}, {model.y}});
  EXPECT_EQ(result.num_samples, 2);
  ASSERT_EQ(result.statistics.size(), 3u);
  const RangeStatistics& x = result.statistics.at(model.x);
  EXPECT_EQ(x.min(), -9.1F);
  EXPECT_EQ(x.max(), 3.3F);
  EXPECT_EQ(x.count(), 12u);
  const RangeStatistics& y = result.statistics.at(model.y);
  EXPECT_EQ(y.min(), -9.0F);
  EXPECT_EQ(y.max(), 3.5F);
  EXPECT_EQ(result.statistics.at(model.scale).max(), 0.5F);
  EXPECT_EQ(result.statistics.at(model.scale).count(), 1u);
}

TEST(Calibrate, ThreadsDoNotChangeTheResult) {
  const Model model;
  const auto data = dataset_of(model.graph, random_samples(101));
  const std::vector<ValueRequest> requests = {{model.x, ObserveLevel::kHistogram, true}, {model.y}};
  const CalibrationResult one = calibrate(model.graph, *data, requests, {.threads = 1});
  for (int threads : {2, 3, 8}) {
    const CalibrationResult many = calibrate(model.graph, *data, requests, {.threads = threads});
    EXPECT_EQ(many.statistics, one.statistics) << threads;
  }
  EXPECT_EQ(one.statistics.at(model.x).channel_min().size(), 3u);
}

TEST(Calibrate, ARepeatedRequestGetsTheHigherLevel) {
  const Model model;
  const auto data = dataset_of(model.graph, random_samples(3));
  const CalibrationResult result =
      calibrate(model.graph, *data, {{model.x, ObserveLevel::kHistogram}, {model.x, ObserveLevel::kMinMax, true}});
  EXPECT_EQ(result.statistics.at(model.x).level(), ObserveLevel::kHistogram);
  EXPECT_TRUE(result.statistics.at(model.x).per_channel());
}

TEST(Calibrate, ReportsProgressAndStopsAtMaxSamples) {
  const Model model;
  const auto data = dataset_of(model.graph, random_samples(20));
  std::vector<int64_t> seen;
  const CalibrationResult result = calibrate(
      model.graph, *data, {{model.x}}, {.threads = 2, .max_samples = 7, .progress = [&](int64_t done, int64_t total) {
                                          EXPECT_EQ(total, 7);
                                          seen.push_back(done);
                                        }});
  EXPECT_EQ(seen, (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(result.num_samples, 7);
  EXPECT_EQ(result.statistics.at(model.x).count(), 42u);
  EXPECT_THROW(calibrate(model.graph, *data, {{model.x}},
                         {.progress =
                              [](int64_t done, int64_t) {
                                if (done == 3) throw std::runtime_error("interrupted");
                              }}),
               std::runtime_error);
}

TEST(Calibrate, ErrorsNameValueAndFirstBadSample) {
  const Model model;
  auto samples = random_samples(40);
  samples[11][3] = NAN;
  samples[30][3] = INFINITY;
  const auto bad = dataset_of(model.graph, samples);
  for (int threads : {1, 4}) {
    EXPECT_EQ(message_of([&] { calibrate(model.graph, *bad, {{model.x}}, {.threads = threads}); }),
              "sample 11: the data for input 'x' hold NaN or infinity");
  }
}

TEST(Calibrate, TensorsWithoutARangeAreRefused) {
  const Model model;
  const auto data = dataset_of(model.graph, random_samples(2));
  const CalibrationResult result = calibrate(model.graph, *data, {{model.x}, {model.q}});
  EXPECT_EQ(
      result.refused,
      (std::map<ValueId, std::string>{{model.q, "is int8, but only float32 has a range to calibrate in sample 0"}}));
  EXPECT_EQ(result.statistics.size(), 1U);
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), highest = b.scalar(INFINITY);
  b.output(b.node("min", "Min", {x, highest}));
  const CalibrationResult constant = calibrate(b.graph, *data, {{highest}});
  EXPECT_EQ(constant.refused, (std::map<ValueId, std::string>{{highest, "holds infinity"}}));
}

// log(x), of which a Where takes what is a number, or which is the output.
TEST(Calibrate, WhatIsNotFiniteMayNotReachAnOutput) {
  std::vector<std::vector<float>> samples(40, std::vector<float>{1, 2, 3, 4, 5, 6});
  samples[30][2] = -1;
  samples[17][5] = 0;
  for (const bool masked : {true, false}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {2, 3});
    const ValueId log = b.node("log", "Log", {x});
    const ValueId positive = b.node("positive", "Greater", {x, b.scalar(0)});
    b.output(b.node("where", "Where", {positive, log, b.scalar(7)}));
    if (!masked) b.output(log);
    const auto data = dataset_of(b.graph, samples);
    for (const int threads : {1, 4}) {
      const auto run = [&] { return calibrate(b.graph, *data, {{log}}, {.threads = threads}); };
      if (masked) {
        EXPECT_EQ(run().refused, (std::map<ValueId, std::string>{{log, "holds infinity in sample 17"}}));
      } else {
        EXPECT_EQ(message_of(run), "value 'log' in sample 17 holds infinity");
      }
    }
    samples[17][5] = 1;
    const auto without = dataset_of(b.graph, samples);
    if (!masked) {
      EXPECT_EQ(message_of([&] { calibrate(b.graph, *without, {{log}}); }),
                "value 'log' in sample 30 holds NaN; node 'log' (Log) is the first that computes NaN: 'log'");
    }
    samples[17][5] = 0;
  }
}

// The last score of every row is masked.
TEST(Calibrate, MaskedScoresDoNotCount) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  for (const float mask : {-1e4F, kLowest, -INFINITY}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {2, 3});
    const ValueId scores = b.node("scores", "Add", {x, b.floats({3}, {0, 0, mask})});
    b.output(b.node("softmax", "Softmax", {scores}));
    const auto data = dataset_of(b.graph, {{2, -3, 1, 0, 0, 0}, {1, 1, 1, 1, 1, 1}});
    const RangeStatistics seen = calibrate(b.graph, *data, {{scores}}).statistics.at(scores);
    EXPECT_EQ(seen.max(), 2) << mask;
    EXPECT_NEAR(seen.min(), -16 * std::log(2.0), 1e-5) << "below a row whose largest score is 0";
  }
}

}  // namespace
}  // namespace twofold
