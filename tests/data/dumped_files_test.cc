#include "data/dumped_files.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace twofold {
namespace {

namespace fs = std::filesystem;
using testing::message_of;

using Files = std::vector<std::vector<fs::path>>;

TEST(DumpedFiles, AreFoundByInputAndOrderedByIndex) {
  const std::vector<fs::path> files = {"d/b10_input_data_x.npy", "d/b2_input_data_x.npy", "d/b2_input_data_a_b.npy",
                                       "d/b10_input_data_a_b.npy", "d/notes.npy"};
  EXPECT_EQ(dumped_files(files, {"x", "a/b"}), (Files{{"d/b2_input_data_x.npy", "d/b10_input_data_x.npy"},
                                                      {"d/b2_input_data_a_b.npy", "d/b10_input_data_a_b.npy"}}));
}

TEST(DumpedFiles, OtherNamesAreNoDumps) {
  EXPECT_EQ(
      dumped_files({"0.npy", "b_input_data_x.npy", "bx_input_data_x.npy", "b1_input_data_.npy", "b1_x.npy"}, {"x"}),
      Files());
}

TEST(DumpedFiles, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(message_of([] { dumped_files({"d/b0_input_data_y.npy"}, {"x"}); }),
            "d/b0_input_data_y.npy: the model has no input 'y'; it has 'x'");
  EXPECT_EQ(message_of([] {
              dumped_files({"d/b0_input_data_x.npy"}, {"x", "y"});
            }),
            "no file holds samples of input 'y'");
  EXPECT_EQ(message_of([] {
              dumped_files({"b0_input_data_x.npy", "b1_input_data_x.npy", "b1_input_data_y.npy"}, {"x", "y"});
            }),
            "there is b0_input_data_x.npy, and no such file of input 'y'");
  EXPECT_EQ(message_of([] {
              dumped_files({"b1_input_data_x.npy", "b0_input_data_y.npy", "b1_input_data_y.npy"}, {"x", "y"});
            }),
            "input 'x' has 1 samples, but input 'y' has 2");
}

}  // namespace
}  // namespace twofold
