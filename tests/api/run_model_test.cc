// Models on samples: a file per output and sample.
#include <gtest/gtest.h>

#include "api/quantized_digits.h"
#include "api/same_bits.h"
#include "base/message_of.h"
#include "data/npy.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/error.h"
#include "twofold/run.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

const RunOptions kOneThread{.threads = 1};

TEST(RunModel, WritesTheOutputsOfASession) {
  const TemporaryFolder folder;
  std::vector<int64_t> told;
  RunOptions options = kOneThread;
  options.progress = [&](std::string_view stage, int64_t done, int64_t total) {
    EXPECT_EQ(stage, "run");
    EXPECT_EQ(total, 3);
    told.push_back(done);
  };
  const std::filesystem::path out = folder.path() / "made" / "here";
  const RunReport report = run_model(quantized_digits().model, image_samples(4, 3), out, options);
  EXPECT_EQ(report.model, quantized_digits().model);
  EXPECT_EQ(report.folder, out);
  EXPECT_EQ(report.samples, 3);
  EXPECT_GT(report.seconds, 0);
  EXPECT_EQ(report.outputs.at(0).name, "logits");
  EXPECT_EQ(told, (std::vector<int64_t>{1, 2, 3}));
  const Session session(quantized_digits().model, {.threads = 1});
  for (uint32_t i = 0; i < 3; ++i) {
    const Tensor written = load_npy(out / "logits" / ("00000" + std::to_string(i) + ".npy"));
    EXPECT_TRUE(same_bits(written, session.run({images(1, 4 + i)})[0]));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out / "logits"), {}), 3);
}

class RunSmallModel : public ::testing::Test {
 protected:
  static Samples samples_of(const std::vector<std::vector<float>>& rows) {
    std::vector<std::map<std::string, Tensor>> samples;
    for (const std::vector<float>& row : rows) {
      samples.push_back({{"x", Tensor::from<float>({static_cast<int64_t>(row.size())}, row)}});
    }
    return {.path = {}, .source = samples_in_memory(std::move(samples))};
  }

  std::filesystem::path exported(const Graph& graph, const std::string& name) const {
    export_onnx(graph, folder_.path() / name);
    return folder_.path() / name;
  }

  TemporaryFolder folder_;
  std::filesystem::path out_ = folder_.path() / "out";
};

TEST_F(RunSmallModel, GivesEachOutputAFolderThatIsNoOther) {
  GraphBuilder b;
  const ValueId x = b.input("x", {-1});
  const std::vector<std::string> names = {"a/b", "a:b", ".hidden", "plain-1.2"};
  for (size_t i = 0; i < names.size(); ++i) {
    b.graph.outputs.push_back({names[i], b.node(names[i], "Mul", {x, b.scalar(static_cast<float>(i + 1))})});
  }
  const RunReport report = run_model(exported(b.graph, "m.onnx"), samples_of({{1}}), out_, kOneThread);
  ASSERT_EQ(report.outputs.size(), 4U);
  EXPECT_EQ(report.outputs[1].name, "a:b");
  const std::vector<std::string> folders = {"a%2Fb", "a:b", "%2Ehidden", "plain-1.2"};
  for (size_t i = 0; i < folders.size(); ++i) {
    EXPECT_EQ(load_npy(out_ / folders[i] / "000000.npy").data<float>()[0], static_cast<float>(i + 1)) << folders[i];
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out_), {}), 4);
}

// The folder of one run holds the samples of the next.
TEST_F(RunSmallModel, WritesWhatSamplesAreReadFrom) {
  GraphBuilder first, second;
  first.output(first.node("y", "Neg", {first.input("x", {2})}));
  second.output(second.node("z", "Neg", {second.input("y", {2})}));
  run_model(exported(first.graph, "first.onnx"), samples_of({{1, 2}, {3, 4}}), out_, kOneThread);
  const RunReport report = run_model(exported(second.graph, "second.onnx"), {.path = out_, .source = nullptr},
                                     folder_.path() / "again", kOneThread);
  EXPECT_EQ(report.samples, 2);
  EXPECT_EQ(load_npy(folder_.path() / "again" / "z" / "000001.npy").data<float>()[0], 3);
  EXPECT_EQ(load_npy(folder_.path() / "again" / "z" / "000000.npy").data<float>()[1], 2);
}

// Whatever the tensors are called.
TEST_F(RunSmallModel, WritesWhatIsFoundByName) {
  const std::vector<std::string> names = {"m:0", "m_0", "a/b", "..", "a b", "%2E."};
  GraphBuilder first;
  const ValueId x = first.input("x", {1});
  for (size_t i = 0; i < names.size(); ++i) {
    first.graph.outputs.push_back(
        {names[i], first.node(names[i], "Mul", {x, first.scalar(static_cast<float>(i + 1))})});
  }
  run_model(exported(first.graph, "first.onnx"), samples_of({{1}}), out_, kOneThread);
  for (size_t i = 0; i < names.size(); ++i) {
    GraphBuilder second;
    second.output(second.node("y", "Neg", {second.input(names[i], {1})}));
    run_model(exported(second.graph, "second.onnx"), {.path = out_}, folder_.path() / "again", kOneThread);
    EXPECT_EQ(load_npy(folder_.path() / "again" / "y" / "000000.npy").data<float>()[0], -static_cast<float>(i + 1));
  }
}

TEST_F(RunSmallModel, WritesNothingOverItsSamples) {
  GraphBuilder b;
  b.output(b.node("y", "Neg", {b.input("x", {1})}));
  std::filesystem::create_directories(out_ / "y");
  save_npy(out_ / "y" / "0.npy", Tensor::from<float>({1}, std::vector<float>{1}));
  const std::string message =
      message_of([&] { run_model(exported(b.graph, "m.onnx"), {.path = out_ / "y"}, out_, kOneThread); });
  EXPECT_NE(message.find("would be written"), std::string::npos) << message;
}

TEST_F(RunSmallModel, TakesTheFirstSamplesOnly) {
  GraphBuilder b;
  b.output(b.node("y", "Neg", {b.input("x", {1})}));
  Samples data = samples_of({{1}, {2}, {3}});
  data.limit = 2;
  EXPECT_EQ(run_model(exported(b.graph, "m.onnx"), data, out_, kOneThread).samples, 2);
  data.limit = 9;
  EXPECT_EQ(run_model(exported(b.graph, "m.onnx"), data, out_, kOneThread).samples, 3);
}

TEST_F(RunSmallModel, NamesTheSampleThatFails) {
  GraphBuilder b;
  b.output(b.node("sum", "Add", {b.input("x", {-1}), b.floats({3}, {1, 2, 3})}));
  const std::filesystem::path model = exported(b.graph, "m.onnx");
  const std::string message = message_of([&] { run_model(model, samples_of({{1, 2, 3}, {1, 2}}), out_, kOneThread); });
  EXPECT_EQ(message.find("sample 1: node 'sum' (Add): "), 0U) << message;
}

TEST_F(RunSmallModel, AppliesMeanAndScaleOfTheConfig) {
  GraphBuilder b;
  b.output(b.node("y", "Neg", {b.input("x", {1, 2, 1, 1})}));
  const std::filesystem::path model = exported(b.graph, "m.onnx");
  const Tensor pixels = Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{10, 20});
  RunOptions options = kOneThread;
  options.config.text = "input_parameters: {mean_value: '1 2', scale_value: '0.5 0.25'}";
  run_model(model, {.path = {}, .source = samples_in_memory({{{"x", pixels}}})}, out_, options);
  const Tensor y = load_npy(out_ / "y" / "000000.npy");
  EXPECT_EQ(y.data<float>()[0], -(10 - 1) * 0.5F);
  EXPECT_EQ(y.data<float>()[1], -(20 - 2) * 0.25F);
}

}  // namespace
}  // namespace twofold
