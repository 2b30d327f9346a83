// Two models on the same samples: the metrics of a difference that is known.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/message_of.h"
#include "data/temporary_folder.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/error.h"
#include "twofold/verify.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

const VerifyOptions kOneThread{.threads = 1};

class VerifyModels : public ::testing::Test {
 protected:
  // x -> add -> "sum" -> neg -> y.
  std::filesystem::path adding(const std::string& name, const std::vector<float>& addend) const {
    GraphBuilder b;
    b.output(b.node("y", "Neg", {b.node("sum", "Add", {b.input("x", {4}), b.floats({4}, addend)})}));
    export_onnx(b.graph, folder_.path() / name);
    return folder_.path() / name;
  }

  VerifyReport verify_adding(const std::vector<float>& other) const {
    return verify_models(adding("a.onnx", {1, 1, 1, 1}), adding("b.onnx", other), data_, kOneThread);
  }

  TemporaryFolder folder_;
  const Samples data_{.path = {},
                      .source = samples_in_memory({{{"x", Tensor::from<float>({4}, std::vector<float>{1, 2, 3, 4})}},
                                                   {{"x", Tensor::from<float>({4}, std::vector<float>{0, 0, 0, 0})}}})};
};

TEST_F(VerifyModels, FindsNoDifferenceInAModelToItself) {
  const VerifyReport report = verify_adding({1, 1, 1, 1});
  EXPECT_EQ(report.reference, folder_.path() / "a.onnx");
  EXPECT_EQ(report.other, folder_.path() / "b.onnx");
  EXPECT_EQ(report.first_difference(), nullptr);
  for (const auto* rows : {&report.outputs, &report.tensors}) {
    for (const TensorRow& row : *rows) {
      EXPECT_EQ(row.equal_share, 1);
      EXPECT_EQ(row.metrics.at("mse"), 0);
      EXPECT_EQ(row.metrics.at("chebyshev"), 0);
      EXPECT_EQ(row.metrics.at("sqnr"), std::numeric_limits<double>::infinity());
      EXPECT_DOUBLE_EQ(row.metrics.at("cosine-similarity"), 1);
      EXPECT_EQ(row.largest_steps, -1);
    }
  }
}

// y is -2, -3, -4, -5 and, in the second sample, -1 everywhere; the other model's last element is 0.5 less.
TEST_F(VerifyModels, AveragesMetricsOverSamples) {
  const VerifyReport report = verify_adding({1, 1, 1, 1.5F});
  ASSERT_EQ(report.outputs.size(), 1U);
  const TensorRow& row = report.outputs[0];
  EXPECT_EQ(row.tensor, "y");
  EXPECT_EQ(row.node, "y");
  EXPECT_EQ(row.op_type, "Neg");
  EXPECT_EQ(row.equal_share, 0.75);
  EXPECT_DOUBLE_EQ(row.metrics.at("mse"), 0.0625);
  EXPECT_DOUBLE_EQ(row.metrics.at("mae"), 0.125);
  EXPECT_DOUBLE_EQ(row.metrics.at("chebyshev"), 0.5);
  EXPECT_DOUBLE_EQ(row.metrics.at("mre"), (0.5 / 5 / 4 + 0.5 / 1 / 4) / 2);
  EXPECT_NEAR(row.metrics.at("sqnr"), (10 * std::log10(54 / 0.25) + 10 * std::log10(4 / 0.25)) / 2, 1e-9);
  const double first = (4 + 9 + 16 + 27.5) / std::sqrt(54.0 * (4 + 9 + 16 + 30.25));
  EXPECT_NEAR(row.metrics.at("cosine-similarity"), (first + 4.5 / std::sqrt(4 * 5.25)) / 2, 1e-12);
  // The tensor before it differs as much, and is where it starts.
  ASSERT_FALSE(report.tensors.empty());
  EXPECT_EQ(report.tensors[0].tensor, "sum");
  EXPECT_EQ(report.tensors[0].metrics.at("mse"), row.metrics.at("mse"));
  EXPECT_EQ(report.first_difference(), &report.tensors[0]);
}

// Integers of scale 0.5 that are 1.5 apart.
TEST_F(VerifyModels, CountsTheStepsBetweenIntegers) {
  const auto quantizing = [&](const std::string& name, float addend) {
    GraphBuilder b;
    const ValueId sum = b.node("sum", "Add", {b.input("x", {4}), b.scalar(addend)}), scale = b.scalar(0.5F);
    const ValueId zero = b.graph.add_constant("zero", Tensor::scalar(int8_t{0}));
    b.output(b.node("y", "DequantizeLinear", {b.node("q", "QuantizeLinear", {sum, scale, zero}), scale, zero}));
    export_onnx(b.graph, folder_.path() / name);
    return folder_.path() / name;
  };
  const VerifyReport report = verify_models(quantizing("a.onnx", 1), quantizing("b.onnx", 2.5F), data_, kOneThread);
  ASSERT_EQ(report.outputs.size(), 1U);
  EXPECT_EQ(report.outputs[0].metrics.at("chebyshev"), 1.5);
  EXPECT_EQ(report.outputs[0].largest_steps, 3);
}

TEST(VerifyReport, NamesInnerTensorsBeforeOutputs) {
  TensorRow equal, different;
  equal.equal_share = 1;
  different.equal_share = 0.5;
  VerifyReport report{"a", "b", {equal, different}, {equal, equal}};
  EXPECT_EQ(report.first_difference(), &report.outputs[1]);
  report.tensors[1] = different;
  EXPECT_EQ(report.first_difference(), &report.tensors[1]);
  report.tensors[0] = different;
  EXPECT_EQ(report.first_difference(), &report.tensors[0]);
}

// x - z and x + z, with inputs, outputs and names in another order.
TEST_F(VerifyModels, MatchesInputsAndOutputsByName) {
  const auto model = [&](const std::string& file, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs) {
    GraphBuilder b;
    for (const std::string& name : inputs) b.input(name, {2});
    const ValueId x = b.graph.find_value("x"), z = b.graph.find_value("z");
    b.node("minus", "Sub", {x, z});
    b.node("plus", "Add", {x, z});
    for (const std::string& name : outputs) {
      const std::string computed = name == "renamed" ? "plus" : name;
      b.graph.outputs.push_back({name, b.graph.find_value(computed)});
    }
    export_onnx(b.graph, folder_.path() / file);
    return folder_.path() / file;
  };
  const Samples data{.path = {},
                     .source = samples_in_memory({{{"x", Tensor::from<float>({2}, std::vector<float>{1, 2})},
                                                   {"z", Tensor::from<float>({2}, std::vector<float>{5, 5})}}})};
  const VerifyReport report = verify_models(model("a.onnx", {"x", "z"}, {"minus", "plus"}),
                                            model("b.onnx", {"z", "x"}, {"renamed", "minus"}), data, kOneThread);
  ASSERT_EQ(report.outputs.size(), 2U);
  EXPECT_EQ(report.outputs[0].equal_share, 1);
  EXPECT_EQ(report.outputs[1].equal_share, 1);
}

TEST_F(VerifyModels, RefusesModelsThatDoNotMatch) {
  const std::filesystem::path one = adding("a.onnx", {1, 1, 1, 1}), two = folder_.path() / "two.onnx";
  GraphBuilder b;
  b.output(b.node("y", "Add", {b.input("x", {4}), b.input("z", {4})}));
  export_onnx(b.graph, two);
  try {
    verify_models(one, two, data_, kOneThread);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(), "the models do not match: 1 inputs and 1 outputs against 2 inputs and 1 outputs");
  }
}

TEST_F(VerifyModels, RefusesOutputsOfOtherShapes) {
  GraphBuilder b;
  b.output(b.node("y", "Concat", {b.input("x", {4}), b.floats({1}, {0})}, {{"axis", int64_t{0}}}));
  export_onnx(b.graph, folder_.path() / "longer.onnx");
  const std::filesystem::path reference = adding("a.onnx", {1, 1, 1, 1});
  EXPECT_EQ(message_of([&] { verify_models(reference, folder_.path() / "longer.onnx", data_, kOneThread); }),
            "tensor 'y' is [4] in one model and [5] in the other");
}

TEST_F(VerifyModels, TellsHowFarItIsAndCanBeEnded) {
  const std::filesystem::path model = adding("a.onnx", {1, 1, 1, 1});
  std::vector<int64_t> told;
  VerifyOptions options = kOneThread;
  options.progress = [&](std::string_view stage, int64_t done, int64_t total) {
    EXPECT_EQ(stage, "verify");
    EXPECT_EQ(total, 2);
    told.push_back(done);
  };
  verify_models(model, model, data_, options);
  EXPECT_EQ(told, (std::vector<int64_t>{1, 2}));
  options.cancelled = [] { return true; };
  try {
    verify_models(model, model, data_, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace twofold
