#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/table.h"

namespace twofold {
namespace {

TEST(Printable, WhatATerminalShowsStays) {
  EXPECT_EQ(printable("conv1/weights [3,5] 100% \xC3\xA9\xE5\x8D\xB7\xF0\x9F\x98\x80", 100),
            "conv1/weights [3,5] 100% \xC3\xA9\xE5\x8D\xB7\xF0\x9F\x98\x80");
  EXPECT_EQ(printable("", 16), "");
}

TEST(Printable, WhatATerminalObeysDoesNot) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07", 100), "?[2J?]0;title?");
  EXPECT_EQ(printable("two\nlines\tand\rreturn\x7F", 100), "two lines and?return?");
  EXPECT_EQ(printable(std::string("a\0b", 3), 100), "a?b");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m",
                      100),
            "?31m")
      << "the control sequence introducer of U+009B";
  EXPECT_EQ(printable("\xE2\x80\xAEtxt.exe", 100), "?txt.exe") << "right to left";
  EXPECT_EQ(printable("\xE2\x80\xA8\xE2\x81\xA6", 100), "??");
  EXPECT_EQ(printable("\xE2\x80\xA6", 100), "\xE2\x80\xA6") << "an ellipsis is none of those";
}

TEST(Printable, BytesThatAreNoText) {
  EXPECT_EQ(printable("\xFF\xC3(\xED\xA0\x80\xE2\x82", 100),
            "?"
            "?(?????");
}

TEST(Printable, LongTextLosesItsMiddle) {
  const std::string text = "begin" + std::string(1000000, 'n') + "end";
  const std::string shown = printable(text, 100);
  EXPECT_EQ(shown.size(), 100);
  EXPECT_TRUE(shown.starts_with("beginnnn") && shown.ends_with("nnnend")) << shown;
  EXPECT_NE(shown.find("n ... n"), std::string::npos) << shown;
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "\xE5\x8D\xB7";
  EXPECT_EQ(printable(wide, 50).find('?'), std::string::npos) << "no character is cut in two";
}

TEST(Printable, MessagesAndCells) {
  const Error error(ErrorCode::kInvalidModel, "node '\x1b[31m" + std::string(1 << 20, 'x') + "' (Conv): wrong");
  const std::string message = error.what();
  EXPECT_LE(message.size(), 2000);
  EXPECT_TRUE(message.starts_with("node '?[31mx") && message.ends_with("x' (Conv): wrong"));
  Table table({"name"});
  table.add({"\x1b[31mred\n"});
  EXPECT_EQ(table.text(), "name\n---------\n?[31mred\n");
}

}  // namespace
}  // namespace twofold
