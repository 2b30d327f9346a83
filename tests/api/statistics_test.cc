// Statistics of parts, through files and merged, serve as those of the whole.
#include "twofold/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/quantized_digits.h"
#include "base/files.h"
#include "base/message_of.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/error.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

Statistics observe_images(uint32_t first, uint32_t count) {
  return Statistics::observe(kDigitsModel, image_samples(first, count), {.threads = 1});
}

const TensorStatisticsRow& row_of(const std::vector<TensorStatisticsRow>& rows, const std::string& tensor) {
  return *std::ranges::find(rows, tensor, &TensorStatisticsRow::tensor);
}

TEST(Statistics, OfTwoHalvesGiveThePlanOfOneCalibration) {
  const TemporaryFolder folder;
  const auto text = [&](const char* file) { return read_text_file(folder.path() / file); };
  observe_images(0, 2).save(folder.path() / "a");
  observe_images(2, 3).save(folder.path() / "b");
  Statistics merged = Statistics::load(folder.path() / "b");
  merged.merge(Statistics::load(folder.path() / "a"));
  EXPECT_EQ(merged.num_samples(), 5);
  EXPECT_EQ(merged.to_bytes(), observe_images(0, 5).to_bytes());

  // Ranges of histograms, and of least and greatest numbers.
  for (const std::string method : {"max", "percentile, max_percentile: 0.999", "mse"}) {
    QuantizeOptions options;
    options.config.text = "{model_config: {all_node_type: int8, activation: {calibration_type: " + method +
                          "}, weight: {rounding: nearest}}}";
    options.threads = 1;
    options.plan_path = folder.path() / "whole.json";
    options.output = folder.path() / "whole.onnx";
    // One calibration that observes all tensors: one that observes what the plan needs may differ in the last bits.
    options.save_statistics = folder.path() / "whole";
    quantize(kDigitsModel, image_samples(0, 5), options);
    EXPECT_EQ(Statistics::load(folder.path() / "whole").to_bytes(), merged.to_bytes());

    options.save_statistics.clear();
    options.plan_path = folder.path() / "parts.json";
    options.output = folder.path() / "parts.onnx";
    // The job merges several by itself.
    for (const std::vector<Statistics>& parts :
         {std::vector{merged},
          std::vector{Statistics::load(folder.path() / "a"), Statistics::load(folder.path() / "b")}}) {
      options.statistics = parts;
      quantize(kDigitsModel, {}, options);
      EXPECT_TRUE(text("parts.json") == text("whole.json")) << method;
      EXPECT_TRUE(text("parts.onnx") == text("whole.onnx")) << method;
    }
  }
}

TEST(Statistics, SayWhatWasSeenOfTheInput) {
  const Statistics statistics = observe_images(7, 2);
  std::vector<float> seen;
  for (const uint32_t seed : {7U, 8U}) {
    const Tensor image = images(1, seed);
    seen.insert(seen.end(), image.data<float>().begin(), image.data<float>().end());
  }
  const std::vector<TensorStatisticsRow> rows = statistics.tensors();
  const TensorStatisticsRow& image = row_of(rows, "image");
  EXPECT_EQ(image.elements, seen.size());
  EXPECT_EQ(image.min, *std::ranges::min_element(seen));
  EXPECT_EQ(image.max, *std::ranges::max_element(seen));
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.refused, "");
  EXPECT_EQ(row_of(rows, "/relu_1/Relu_output_0").min, 0);
  EXPECT_EQ(row_of(rows, "/relu_1/Relu_output_0").channels, 32);
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &TensorStatisticsRow::tensor));
  EXPECT_EQ(statistics.num_samples(), 2);
}

TEST(Statistics, CopiesAreIndependent) {
  const Statistics one = observe_images(0, 1);
  const std::vector<std::byte> before = one.to_bytes();
  Statistics sum = one;
  sum.merge(one);
  EXPECT_EQ(sum.num_samples(), 2);
  EXPECT_EQ(one.num_samples(), 1);
  EXPECT_EQ(one.to_bytes(), before);
}

class StatisticsOfASmallModel : public ::testing::Test {
 protected:
  // x -> log -> y, which is NaN for x < 0.
  StatisticsOfASmallModel() {
    GraphBuilder b;
    b.output(b.node("log", "Log", {b.input("x", {2})}));
    export_onnx(b.graph, path_);
  }

  Statistics observe(const std::vector<float>& x) const {
    return Statistics::observe(path_, {.path = {}, .source = samples_in_memory({{{"x", Tensor::from<float>({2}, x)}}})},
                               {.threads = 1});
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "log.onnx";
};

TEST_F(StatisticsOfASmallModel, RefuseATensorThatHasNoRange) {
  Statistics statistics = observe({1, -1});
  const std::vector<TensorStatisticsRow> rows = statistics.tensors();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].tensor, "log");  // by name, refused or not
  EXPECT_EQ(row_of(rows, "log").refused, "holds NaN in sample 0");
  EXPECT_EQ(row_of(rows, "log").elements, 0U);
  EXPECT_EQ(row_of(rows, "x").refused, "");
  EXPECT_EQ(row_of(rows, "x").min, -1);
  // For good, whatever others saw.
  statistics.merge(observe({1, 2}));
  EXPECT_EQ(row_of(statistics.tensors(), "log").refused, "holds NaN in sample 0");
  EXPECT_EQ(row_of(statistics.tensors(), "x").max, 2);
}

TEST_F(StatisticsOfASmallModel, AreNotMergedWithThoseOfAnother) {
  Statistics statistics = observe({1, 2});
  const Statistics other = observe_images(0, 1);
  EXPECT_NE(statistics.model_hash(), other.model_hash());
  EXPECT_EQ(
      message_of([&] { statistics.merge(other); }),
      "statistics of two models cannot be merged (" + statistics.model_hash() + " and " + other.model_hash() + ")");
  EXPECT_EQ(statistics.num_samples(), 1);
}

TEST_F(StatisticsOfASmallModel, ComeBackFromBytesOrAreRefusedByLabel) {
  const std::vector<std::byte> bytes = observe({1, 2}).to_bytes();
  EXPECT_EQ(Statistics::from_bytes(bytes).to_bytes(), bytes);
  EXPECT_EQ(message_of([&] { Statistics::from_bytes({}, "mine"); }), "mine: not a file of statistics");
  for (size_t size = 1; size < bytes.size(); size += 7) {
    const std::string message = message_of([&] { Statistics::from_bytes(std::span(bytes).first(size), "mine"); });
    EXPECT_EQ(message.find("mine: "), 0U) << size << ": " << message;
  }
  EXPECT_NE(message_of([&] { Statistics::load(folder_.path() / "none"); }).find("none"), std::string::npos);
}

}  // namespace
}  // namespace twofold
