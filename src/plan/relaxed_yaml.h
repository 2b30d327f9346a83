// Reads the files that people write for quantization tools: YAML, JSON, and the mixtures of both that circulate, with
// # and // comments and trailing commas.
#ifndef TWOFOLD_SRC_PLAN_RELAXED_YAML_H_
#define TWOFOLD_SRC_PLAN_RELAXED_YAML_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// One value of a file. A value type; the tree is at most kMaxYamlDepth deep and holds at most kMaxYamlNodes nodes.
struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool quoted = false;          // a scalar in quotes: always text, never a number or a boolean
  int line = 1, column = 1;     // where the value begins, a map in braces with its brace; in bytes, counted from 1
  int key_line = 1;             // where its key stands, if it is an entry of a map
  std::string key;              // its key, if it is an entry of a map
  std::string text;             // of a scalar
  std::vector<YamlNode> items;  // of a list or a map, in the order of the file

  // The entry of a map, or nullptr.
  const YamlNode* find(std::string_view name) const;
};

inline constexpr int kMaxYamlDepth = 64;
inline constexpr int kMaxYamlNodes = 200'000;
inline constexpr size_t kMaxYamlBytes = 16U << 20;

// The same text with every comment blanked, so that lines and columns stay. # and // begin a comment at the start of
// the text or a line, after white space and after one of , { } [ ] and quotes; never inside a quoted string, nor after
// a colon (https://...).
std::string blank_comments(std::string_view text);

// Parses one document. `label` stands for the file in messages, e.g. "config.yaml". An empty text gives kNull.
// Keys are scalars and must not repeat within a map. Aliases are expanded, and count towards the limits.
// Throws Error(kInvalidArgument) "label:line: ...", or Error(kResourceExhausted) past a limit.
YamlNode parse_relaxed_yaml(std::string_view text, std::string_view label);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_RELAXED_YAML_H_
