#include "graph/unique_name.h"

#include <gtest/gtest.h>

#include <set>

namespace twofold {
namespace {

TEST(UniqueName, CountsUp) {
  std::set<std::string, std::less<>> taken;
  const auto is_taken = [&taken](std::string_view name) { return taken.contains(name); };
  for (const char* expected : {"x", "x_1", "x_2", "x_3", "x_4", "x_5"}) {
    EXPECT_EQ(unique_name("x", is_taken), expected);
    taken.emplace(expected);
  }
  taken.erase("x");
  EXPECT_EQ(unique_name("x", is_taken), "x");
}

TEST(UniqueName, AsksLittleHoweverManyAreTaken) {
  constexpr int kTaken = 10000;
  int asked = 0;
  const auto is_taken = [&asked](std::string_view name) {
    ++asked;
    return name == "x" || std::stoi(std::string(name.substr(2))) < kTaken;
  };
  EXPECT_EQ(unique_name("x", is_taken), "x_10000");
  EXPECT_LE(asked, 30);
}

}  // namespace
}  // namespace twofold
