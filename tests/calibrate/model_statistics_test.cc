#include "calibrate/model_statistics.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "quantize/small_network.h"

namespace twofold {
namespace {

ModelStatistics observe(const Graph& graph, const Dataset& data) {
  return observe_model(graph, data, "0123", {.threads = 1});
}

// Samples [first, last) of another dataset.
class Part final : public Dataset {
 public:
  Part(const Dataset& whole, int64_t first, int64_t last) : whole_(whole), first_(first), last_(last) {}
  int64_t size() const override { return last_ - first_; }
  std::vector<Tensor> sample(int64_t i) const override { return whole_.sample(first_ + i); }

 private:
  const Dataset& whole_;
  int64_t first_, last_;
};

TEST(ModelStatistics, ObservesEveryFloatTensorPerChannelWhereThereAreChannels) {
  const Graph graph = small_network(1);
  const auto data = random_samples(graph, 3, 2);
  const ModelStatistics seen = observe(graph, *data);
  EXPECT_EQ(seen.num_samples, 3);
  EXPECT_TRUE(seen.refused.empty());
  for (const char* name : {"x", "conv1", "relu1", "add", "concat", "conv3", "rows", "softmax", "gemm"}) {
    ASSERT_TRUE(seen.tensors.contains(name)) << name;
    EXPECT_EQ(seen.tensors.at(name).level(), ObserveLevel::kHistogram);
  }
  EXPECT_EQ(seen.tensors.at("conv1").channel_min().size(), 8U);
  EXPECT_EQ(seen.tensors.at("conv1").count(), 3U * 8 * 36);
  EXPECT_EQ(seen.tensors.at("relu1").min(), 0.0F);
  EXPECT_FALSE(seen.tensors.contains("c"));  // constants have no statistics
}

TEST(ModelStatistics, OfPartsMergeToThoseOfAllInAnyOrder) {
  const Graph graph = small_network(1);
  const auto data = random_samples(graph, 7, 2);
  const ModelStatistics whole = observe(graph, *data);
  const std::vector<ModelStatistics> parts = {observe(graph, Part(*data, 0, 2)), observe(graph, Part(*data, 2, 3)),
                                              observe(graph, Part(*data, 3, 7))};
  for (const auto& order : {std::vector<size_t>{0, 1, 2}, {2, 0, 1}, {1, 2, 0}}) {
    ModelStatistics merged = parts[order[0]];
    merged.merge(parts[order[1]]);
    merged.merge(statistics_from_bytes(to_bytes(parts[order[2]]), "part"));
    EXPECT_EQ(merged, whole);
  }
  ModelStatistics other = whole;
  other.model_hash = "4567";
  EXPECT_THROW(other.merge(whole), Error);
}

TEST(ModelStatistics, RefuseTensorsWithNaN) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 4});
  const ValueId root = b.node("root", "Sqrt", {x});
  b.output(b.node("gemm", "Gemm", {x, b.ramp({4, 4})}));
  b.output(root);
  std::vector<std::map<std::string, Tensor>> samples(3);
  for (auto& sample : samples) sample["x"] = Tensor::from<float>({1, 4}, std::vector<float>{1, 2, 3, 4});
  samples[1]["x"] = Tensor::from<float>({1, 4}, std::vector<float>{1, -2, 3, 4});
  const auto data = make_dataset(samples_in_memory(std::move(samples)), input_specs(b.graph));
  const ModelStatistics seen = observe(b.graph, *data);
  ASSERT_TRUE(seen.refused.contains("root"));
  EXPECT_EQ(seen.refused.at("root"), "holds NaN in sample 1");
  EXPECT_FALSE(seen.tensors.contains("root"));
  EXPECT_EQ(seen.tensors.at("x").min(), -2);
  EXPECT_EQ(statistics_from_bytes(to_bytes(seen), "file"), seen);
}

TEST(ModelStatistics, FilesThatAreDamagedAreRefused) {
  const Graph graph = small_network(1);
  const auto data = random_samples(graph, 2, 2);
  const std::vector<std::byte> good = to_bytes(observe(graph, *data));
  EXPECT_NO_THROW(statistics_from_bytes(good, "file"));
  EXPECT_THROW(statistics_from_bytes({}, "file"), Error);
  EXPECT_THROW(statistics_from_bytes(std::as_bytes(std::span("a text of some length")), "file"), Error);
  for (size_t size = 1; size < good.size(); size += 97) {
    EXPECT_THROW(statistics_from_bytes(std::span(good).first(size), "file"), Error) << size;
  }
  // Whatever a byte is changed to, reading ends with statistics or with an error.
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> bytes = good;
    bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    try {
      statistics_from_bytes(bytes, "file");
    } catch (const Error& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("file: ")) << error.what();
    }
  }
}

}  // namespace
}  // namespace twofold
