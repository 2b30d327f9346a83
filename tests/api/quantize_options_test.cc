// Options of quantize() that contradict each other, or that nothing can come of, are refused before a file is read.
#include <gtest/gtest.h>

#include <fstream>

#include "base/message_of.h"
#include "data/temporary_folder.h"
#include "twofold/error.h"
#include "twofold/quantize.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

// There is no such model, and no such plan: whoever gets to them says something else.
std::string refusal(const QuantizeOptions& options) {
  return message_of([&] { quantize("missing.onnx", {}, options); });
}

TEST(RefusedOptions, OfWhatAPlanDecides) {
  const std::string message =
      "a plan says everything: beside it, leave out config, target, compiler version, strict, "
      "sensitivity and activation format";
  const QuantizeOptions plan{.from_plan = "missing.json"};
  const auto with = [&](const auto& change) {
    QuantizeOptions options = plan;
    change(options);
    return refusal(options);
  };
  EXPECT_NE(refusal(plan), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.config.text = "{}"; }), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.config.path = "config.yaml"; }), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.target = "cpu"; }), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.compiler_version = "4.3.3"; }), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.strict = true; }), message);
  EXPECT_EQ(with([](QuantizeOptions& o) { o.uint8_activations = true; }), message);
}

TEST(RefusedOptions, OfStatisticsBesideAPlan) {
  const std::string message = "a plan has its ranges: statistics are neither taken nor made beside it";
  const TemporaryFolder folder;
  EXPECT_EQ(refusal({.from_plan = "missing.json", .statistics = {Statistics(nullptr)}}), message);
  EXPECT_EQ(refusal({.from_plan = "missing.json", .save_statistics = folder.path() / "s"}), message);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "s"));
}

TEST(RefusedOptions, OfNamesWithoutAPlan) {
  EXPECT_EQ(refusal({.by_name = true}), "by_name says how a plan is carried over, and no plan is given");
}

TEST(RefusedOptions, OfFilesThatCannotBeWritten) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "missing" / "file";
  for (auto option : {&QuantizeOptions::output, &QuantizeOptions::plan_path, &QuantizeOptions::save_statistics}) {
    QuantizeOptions options;
    options.*option = path;
    try {
      quantize("missing.onnx", {}, options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
}

TEST(RefusedOptions, AreInvalidArguments) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.strict = true, .from_plan = "p"},
        QuantizeOptions{.from_plan = "p", .statistics = {Statistics(nullptr)}}, QuantizeOptions{.by_name = true}}) {
    try {
      quantize("missing.onnx", {}, options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace twofold
