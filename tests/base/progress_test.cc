#include "base/progress.h"

#include <gtest/gtest.h>

namespace twofold {
namespace {

TEST(ProgressLine, ShowsShareAndTimeLeft) {
  EXPECT_EQ(progress_line("run", 1, 4, 3, 39), "run  [####............]   25%  9 s left");
  EXPECT_EQ(progress_line("run", 4, 4, 3, 34), "run  [###########]  100%  0 s left");
  EXPECT_EQ(progress_line("run", 1, 2, 61, 60).substr(46), "1 min 1 s left");
  EXPECT_EQ(progress_line("run", 1, 3, 3600, 60).substr(46), "2 h 0 min left");
}

TEST(ProgressLine, KnowsNoTimeBeforeTheFirstStep) {
  EXPECT_EQ(progress_line("run", 0, 9, 3, 25), "run  [............]    0%");
}

TEST(ProgressLine, FitsTheTerminal) {
  EXPECT_EQ(progress_line("a stage with a long name", 1, 2, 3, 10), "a stage wi");
  EXPECT_EQ(progress_line("run", 0, 0, 0, 0), "");
}

}  // namespace
}  // namespace twofold
