// Tables that fit a terminal.
#include "base/table.h"

#include <gtest/gtest.h>

namespace twofold {
namespace {

Table two_columns() {
  Table table({"node", ">n"});
  table.add({"/encoder/layers.0/attention/MatMul", "7"});
  table.add({"\u00e4", "123"});
  return table;
}

TEST(Table, IsAsWideAsItsCells) {
  EXPECT_EQ(two_columns().text(),
            "node                                  n\n"
            "----------------------------------  ---\n"
            "/encoder/layers.0/attention/MatMul    7\n"
            "\u00e4                                   123\n");
  EXPECT_EQ(two_columns().text(39), two_columns().text());
}

TEST(Table, TakesTheMiddleOutOfLongCells) {
  EXPECT_EQ(two_columns().text(20),
            "node               n\n"
            "---------------  ---\n"
            "/encode\u2026/MatMul    7\n"
            "\u00e4                123\n");
}

TEST(Table, PutsColumnsThatFindNoRoomBelow) {
  Table table({"node", ">first", ">second"});
  table.add({"a", "1.23456789", "2.3456789"});
  EXPECT_EQ(table.text(16),
            "node       first\n"
            "----  ----------\n"
            "a     1.23456789\n"
            "\n"
            "node     second\n"
            "----  ---------\n"
            "a     2.3456789\n");
}

TEST(Table, IsNeverWider) {
  Table table({"node", "operands", "why", ">cosine", ">sqnr"});
  table.add({std::string(50, 'n'), std::string(80, 'o'), std::string(70, 'w'), "0.123456", "1e-300"});
  for (const size_t columns : {1U, 2U, 5U, 9U, 24U, 40U, 79U, 80U, 120U, 300U}) {
    const std::string text = table.text(columns);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      size_t width = 0;
      for (size_t i = begin; i < end; ++i) width += (text[i] & 0xC0) != 0x80 ? 1 : 0;
      EXPECT_LE(width, columns) << text;
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace twofold
