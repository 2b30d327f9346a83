// What quantize() reports, and what it takes plans for.
#include "twofold/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/quantized_digits.h"
#include "base/files.h"
#include "twofold/error.h"
#include "twofold/plan.h"
#include "twofold/verify.h"

namespace twofold {
namespace {

TEST(QuantizeReport, HasTheOperandsOfThePlan) {
  const QuantizeReport& report = quantized_digits().report;
  const std::vector<PlanOperandRow> planned = describe_plan(quantized_digits().plan).operands;
  ASSERT_EQ(report.operands.size(), planned.size());
  std::map<std::string, int> counts;
  for (size_t i = 0; i < planned.size(); ++i) {
    const OperandRow& row = report.operands[i];
    EXPECT_EQ(row.node, planned[i].node);
    EXPECT_EQ(row.op_type, planned[i].op_type);
    EXPECT_EQ(row.operand, planned[i].operand);
    EXPECT_EQ(row.tensor, planned[i].tensor);
    EXPECT_EQ(row.asked, planned[i].asked);
    EXPECT_EQ(row.granted, planned[i].granted);
    EXPECT_EQ(row.decided_by, planned[i].decided_by);
    EXPECT_EQ(row.reason, planned[i].reason);
    EXPECT_EQ(row.method, planned[i].method);
    EXPECT_EQ(row.threshold, planned[i].threshold);
    ++counts[planned[i].granted];
  }
  EXPECT_EQ(report.operand_counts, counts);
  EXPECT_EQ(counts.size(), 4U);  // float32, int8, int16, ec
}

TEST(QuantizeReport, SaysWhatWasWrittenAndInWhichStages) {
  const QuantizedDigits& made = quantized_digits();
  EXPECT_EQ(made.report.model, kDigitsModel);
  EXPECT_EQ(made.report.output, made.model);
  EXPECT_EQ(made.report.target, "cpu");
  EXPECT_EQ(made.report.file_bytes, std::filesystem::file_size(made.model));
  std::vector<std::string> stages;
  uint64_t memory = 1;
  for (const StageRow& row : made.report.stages) {
    stages.push_back(row.stage);
    EXPECT_GE(row.seconds, 0) << row.stage;
    EXPECT_GE(row.peak_memory_bytes, memory) << row.stage;
    memory = row.peak_memory_bytes;
  }
  ASSERT_GT(stages.size(), 5U);
  EXPECT_EQ((std::vector(stages.begin(), stages.begin() + 3)),
            (std::vector<std::string>{"import", "simplify", "calibrate"}));
  EXPECT_EQ((std::vector(stages.end() - 3, stages.end())), (std::vector<std::string>{"apply", "evaluate", "export"}));
}

TEST(QuantizeReport, NamesNoFileWhereNoneIsAskedFor) {
  QuantizeOptions options;
  options.config.text = kNothingToSearch;
  options.threads = 1;
  const QuantizeReport report = quantize(kDigitsModel, image_samples(0, 1), options);
  EXPECT_EQ(report.output, "");
  EXPECT_EQ(report.file_bytes, 0U);
  EXPECT_EQ(report.outputs.size(), 1U);
}

// The written file, read back and compared with the float one on the same data.
TEST(QuantizeReport, HasTheMetricsThatVerifyFinds) {
  const QuantizedDigits& made = quantized_digits();
  const VerifyReport verified = verify_models(kDigitsModel, made.model, image_samples(0, kNumSamples), {.threads = 1});
  const auto expect_same = [](const std::vector<TensorRow>& reported, const std::vector<TensorRow>& found) {
    ASSERT_EQ(reported.size(), found.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(reported[i].tensor, found[i].tensor);
      EXPECT_EQ(reported[i].node, found[i].node);
      EXPECT_EQ(reported[i].op_type, found[i].op_type);
      EXPECT_EQ(reported[i].metrics, found[i].metrics) << found[i].tensor;
      EXPECT_EQ(reported[i].equal_share, found[i].equal_share) << found[i].tensor;
      EXPECT_EQ(reported[i].largest_steps, found[i].largest_steps) << found[i].tensor;
    }
  };
  expect_same(made.report.outputs, verified.outputs);
  expect_same(made.report.tensors, verified.tensors);
  EXPECT_GT(verified.outputs.at(0).metrics.at("mse"), 0);
  EXPECT_GT(verified.tensors.size(), 20U);
}

TEST(QuantizeReport, HasTheRangeOfTheInput) {
  float largest = 0;
  for (uint32_t i = 0; i < kNumSamples; ++i) {
    largest = std::max(largest, *std::ranges::max_element(images(1, i).data<float>()));
  }
  int found = 0;
  for (const OperandRow& row : quantized_digits().report.operands) {
    if (row.tensor != "image") continue;
    EXPECT_EQ(row.threshold, largest);
    EXPECT_EQ(row.method, "max, asymmetric");
    ++found;
  }
  EXPECT_EQ(found, 1);
}

class QuantizeFromPlan : public ::testing::Test {
 protected:
  void expect_same_files() {
    quantize(kDigitsModel, {}, options_);
    EXPECT_TRUE(read_text_file(options_.output) == read_text_file(quantized_digits().model));
    EXPECT_TRUE(read_text_file(options_.plan_path) == read_text_file(quantized_digits().plan));
  }

  TemporaryFolder folder_;
  QuantizeOptions options_{.threads = 1,
                           .output = folder_.path() / "again.onnx",
                           .plan_path = folder_.path() / "again.json",
                           .from_plan = quantized_digits().plan};
};

TEST_F(QuantizeFromPlan, WritesTheSameFilesWithoutData) { expect_same_files(); }

TEST_F(QuantizeFromPlan, CarriesEverythingOverToTheSameModel) {
  options_.by_name = true;
  expect_same_files();
}

TEST_F(QuantizeFromPlan, ReportsMetricsWhereThereAreData) {
  const QuantizeReport report = quantize(kDigitsModel, image_samples(0, kNumSamples), options_);
  ASSERT_EQ(report.outputs.size(), 1U);
  EXPECT_EQ(report.outputs[0].metrics, quantized_digits().report.outputs[0].metrics);
}

TEST(QuantizeModel, RefusesOneThatIsQuantized) {
  try {
    quantize(quantized_digits().model, image_samples(0, 1), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("the model is quantized already (node '"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofold
