// A job that is ended, at any of the moments when it asks whether it is.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "data/digits.h"
#include "data/temporary_folder.h"
#include "twofold/error.h"
#include "twofold/quantize.h"

namespace twofold {
namespace {

class QuantizeJob : public ::testing::Test {
 protected:
  QuantizeJob() {
    std::vector<std::map<std::string, Tensor>> samples;
    for (uint32_t i = 0; i < 3; ++i) samples.push_back({{"image", images(1, i)}});
    data_.source = samples_in_memory(std::move(samples));
    options_.config.text =
        "{model_config: {activation: {calibration_type: [max, kl]}, weight: {bias_correction: {num_sample: 1}}}}";
    options_.threads = 1;
    options_.output = folder_.path() / "model.onnx";
    options_.plan_path = folder_.path() / "plan.json";
  }

  void run() { quantize(kDigits / "digits.onnx", data_, options_); }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) names.insert(entry.path().filename());
    return names;
  }

  TemporaryFolder folder_;
  Samples data_;
  QuantizeOptions options_;
};

TEST_F(QuantizeJob, LeavesNothingBehindWheneverItEnds) {
  int asked = 0, last = 0;
  options_.cancelled = [&] { return ++asked == last; };
  run();
  EXPECT_EQ(files(), (std::set<std::string>{"model.onnx", "plan.json"}));
  std::filesystem::remove(options_.output);
  std::filesystem::remove(options_.plan_path);
  const int questions = asked;
  EXPECT_GT(questions, 1000);
  for (last = 1; last <= questions; last += last < questions - 5 ? questions / 20 : 1) {
    asked = 0;
    try {
      run();
      ADD_FAILURE() << "goes on after question " << last << " of " << questions;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    }
    EXPECT_EQ(asked, last);
    EXPECT_EQ(files(), std::set<std::string>{});
  }
}

TEST_F(QuantizeJob, ItsThreadsEndToo) {
  options_.threads = 3;
  const std::thread::id caller = std::this_thread::get_id();
  int asked = 0, elsewhere = 0;
  options_.cancelled = [&] {
    if (std::this_thread::get_id() != caller) ++elsewhere;
    return ++asked > 200;
  };
  EXPECT_THROW(run(), Error);
  EXPECT_EQ(elsewhere, 0);
  EXPECT_EQ(files(), std::set<std::string>{});
}

TEST_F(QuantizeJob, TellsTheCallersThread) {
  options_.threads = 3;
  const std::thread::id caller = std::this_thread::get_id();
  int elsewhere = 0;
  std::map<std::string, int64_t> told;
  options_.progress = [&](std::string_view stage, int64_t done, int64_t total) {
    if (std::this_thread::get_id() != caller) ++elsewhere;
    int64_t& before = told[std::string(stage)];
    EXPECT_LT(before, done) << stage;
    EXPECT_LE(done, total) << stage;
    before = done;
  };
  run();
  EXPECT_EQ(elsewhere, 0);
  EXPECT_EQ(told.size(), 5u);
  EXPECT_GE(told["equalize"], 1);
  EXPECT_GE(told["calibrate"], 1);
  EXPECT_GE(told["choose precisions"], 1);
  EXPECT_EQ(told["search ranges"], 2);
  EXPECT_EQ(told["evaluate"], 3);
}

}  // namespace
}  // namespace twofold
