// What is no terminal has no width and no colours.
#include "base/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>

namespace twofold {
namespace {

TEST(Terminal, IsAsWideAsItSays) {
  struct winsize size {
    .ws_row = 24, .ws_col = 97, .ws_xpixel = 0, .ws_ypixel = 0
  };
  int leader = -1, follower = -1;
  ASSERT_EQ(::openpty(&leader, &follower, nullptr, nullptr, &size), 0);
  ::unsetenv("COLUMNS");
  EXPECT_EQ(terminal_columns(follower), 97U);
  ::setenv("COLUMNS", "60", 1);
  EXPECT_EQ(terminal_columns(follower), 60U);
  ::setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(terminal_columns(follower), 97U);
  ::unsetenv("COLUMNS");

  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  EXPECT_TRUE(shows_colours(follower));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(shows_colours(follower));
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(shows_colours(follower));
  ::close(leader);
  ::close(follower);
}

TEST(Terminal, IsNoOtherFile) {
  const int null = ::open("/dev/null", O_WRONLY);
  ::setenv("COLUMNS", "60", 1);
  EXPECT_EQ(terminal_columns(null), 0U);
  ::unsetenv("COLUMNS");
  EXPECT_FALSE(shows_colours(null));
  ::close(null);
}

TEST(Terminal, ColoursWhatItIsAskedTo) {
  EXPECT_EQ(in_colour("note:", Colour::kNote, false), "note:");
  EXPECT_EQ(in_colour("note:", Colour::kNote, true), "\x1b[33mnote:\x1b[0m");
}

}  // namespace
}  // namespace twofold
