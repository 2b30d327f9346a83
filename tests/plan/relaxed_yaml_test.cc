#include "plan/relaxed_yaml.h"

#include <fmt/format.h>

#include "plan/expect_error.h"

namespace twofold {
namespace {

YamlNode parse(const std::string& text) { return parse_relaxed_yaml(text, "file"); }

TEST(BlankComments, LeavesStringsAndUrls) {
  EXPECT_EQ(blank_comments("a: 1 // b\nc"), "a: 1     \nc");
  EXPECT_EQ(blank_comments("a: 1 # b"), "a: 1    ");
  EXPECT_EQ(blank_comments("# 'it\nb: 'x'"), "     \nb: 'x'");
  EXPECT_EQ(blank_comments("a: \"x // y # z\""), "a: \"x // y # z\"");
  EXPECT_EQ(blank_comments("a: 'it''s // y'"), "a: 'it''s // y'");
  EXPECT_EQ(blank_comments("a: \"\\\" // y\""), "a: \"\\\" // y\"");
  EXPECT_EQ(blank_comments("a: https://x.org/y#z"), "a: https://x.org/y#z");
  EXPECT_EQ(blank_comments("a: it's // y"), "a: it's     ");
  EXPECT_EQ(blank_comments("{\"a\":\"b\"//c\n,// d\n}"), "{\"a\":\"b\"   \n,    \n}");
}

TEST(RelaxedYaml, ReadsJsonWithCommentsTrailingCommasAndTabs) {
  const YamlNode root = parse("{\n\t\"a\": [1, 'b', true,], // one\n\t\"c\": {\"d\": null,},\n}");
  ASSERT_EQ(root.kind, YamlNode::Kind::kMap);
  ASSERT_EQ(root.items.size(), 2U);
  const YamlNode* a = root.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->line, 2);
  ASSERT_EQ(a->items.size(), 3U);
  EXPECT_EQ(a->items[0].text, "1");
  EXPECT_FALSE(a->items[0].quoted);
  EXPECT_TRUE(a->items[1].quoted);
  EXPECT_EQ(root.find("c")->key_line, 3);
  EXPECT_EQ(root.find("c")->find("d")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.find("x"), nullptr);
}

TEST(RelaxedYaml, NamesTabsAndBracketsThatAreNotClosed) {
  EXPECT_ERROR(parse("a:\n\tb: 1\n"), ErrorCode::kInvalidArgument, "file:2: a tab indents this line");
  EXPECT_ERROR(parse("a:\n  b: 1\n \tc: 1\n"), ErrorCode::kInvalidArgument, "file:3: a tab indents this line");
  EXPECT_ERROR(parse("x: 1\na: {b: [1, 2]\nc: 3\n"), ErrorCode::kInvalidArgument,
               "file:2: the '{' that opens here is not closed: a '}' is missing");
  EXPECT_ERROR(parse("{\"a\": {\"b\": \"}\"}"), ErrorCode::kInvalidArgument, "file:1: the '{' that opens here");
  EXPECT_ERROR(parse("{\n\t\"a\": [1, 2\n}"), ErrorCode::kInvalidArgument, "file:2: the '[' that opens here");
  EXPECT_ERROR(parse("a: b: c"), ErrorCode::kInvalidArgument, "file:1: not valid YAML");
}

TEST(RelaxedYaml, ExpandsAliases) {
  const YamlNode root = parse("a: &x {b: 1}\nc: *x\n");
  EXPECT_EQ(root.find("c")->find("b")->text, "1");
}

TEST(RelaxedYaml, EmptyIsNull) {
  EXPECT_EQ(parse("").kind, YamlNode::Kind::kNull);
  EXPECT_EQ(parse("// nothing\n").kind, YamlNode::Kind::kNull);
}

TEST(RelaxedYaml, NamesTheLineOfWhatIsWrong) {
  EXPECT_ERROR(parse("a: 1\nb: [1,\nc: 2\n"), ErrorCode::kInvalidArgument, "file:");
  EXPECT_ERROR(parse("a: 1\nb: 2\na: 3\n"), ErrorCode::kInvalidArgument, "file:3: the key 'a' is there twice");
  EXPECT_ERROR(parse("a: 1\n[x]: 2\n"), ErrorCode::kInvalidArgument, "file:2: a key must be plain text");
  EXPECT_ERROR(parse("{a: 1,, b: 2}"), ErrorCode::kInvalidArgument, "file:1: a key is missing");
  EXPECT_ERROR(parse("a: 1\n---\nb: 2\n"), ErrorCode::kInvalidArgument, "second document");
  EXPECT_ERROR(parse(std::string("a: 1\0", 5)), ErrorCode::kInvalidArgument, "byte 4 is 0");
  EXPECT_ERROR(parse("a: *nowhere"), ErrorCode::kInvalidArgument, "file:1: not valid YAML");
}

TEST(RelaxedYaml, RefusesWhatWouldBlowUp) {
  EXPECT_ERROR(parse(std::string(65, '[') + std::string(65, ']')), ErrorCode::kResourceExhausted,
               "nested more than 64 deep");
  EXPECT_EQ(parse(std::string(64, '[') + std::string(64, ']')).kind, YamlNode::Kind::kList);
  EXPECT_ERROR(parse(std::string(100000, '[')), ErrorCode::kInvalidArgument, "file:1");
  EXPECT_ERROR(parse(std::string(100000, '{')), ErrorCode::kInvalidArgument, "file:1");
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) laughs += fmt::format("*a{}, ", i - 1);
    laughs += "]\n";
  }
  EXPECT_ERROR(parse(laughs), ErrorCode::kResourceExhausted, "more than 200000 values");
  EXPECT_ERROR(parse(std::string(kMaxYamlBytes + 1, ' ')), ErrorCode::kResourceExhausted, "at most");
}

}  // namespace
}  // namespace twofold
