#include "plan/relaxed_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"

namespace twofold {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// End of the quoted string that begins at `begin`: one past the closing quote, or the end of the text.
size_t skip_string(std::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return i + 1;
      ++i;  // '' is a quote inside a single-quoted string
    }
  }
  return text.size();
}

// What the parser's message means, where it is one of two slips that it says nothing of; empty elsewhere. `text` has no
// comments, `line` counts from 1.
std::string slip_of(std::string_view text, int line) {
  struct Bracket {
    char closing;
    int line;
  };
  std::vector<Bracket> open;
  int at = 1;
  bool indents = true;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (indents && c == '\t' && open.empty() && at <= line) {
      return fmt::format("{}: a tab indents this line; indent with blanks", at);
    }
    indents = c == '\n' || (indents && is_space(c));
    if (c == '\n') ++at;
    if (c == '{' || c == '[') open.push_back({c == '{' ? '}' : ']', at});
    if (!open.empty() && c == open.back().closing) open.pop_back();
    const size_t next = contains("\"'", c) && (i == 0 || is_space(text[i - 1]) || contains(",{}[]:", text[i - 1]))
                            ? skip_string(text, i)
                            : i + 1;
    at += static_cast<int>(
        std::count(text.begin() + static_cast<ptrdiff_t>(i) + 1, text.begin() + static_cast<ptrdiff_t>(next), '\n'));
    i = next;
  }
  if (open.empty()) return "";
  return fmt::format("{}: the '{}' that opens here is not closed: a '{}' is missing", open.back().line,
                     open.back().closing == '}' ? '{' : '[', open.back().closing);
}

// Builds the tree from the parser's events. The parser itself recurses at most 500 deep.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view label) : label_(label) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark.line + 1, "a second document begins; the file must hold one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) fail(mark.line + 1, "a key is missing; two commas in a row, or a colon with nothing before it");
    add(make(YamlNode::Kind::kNull, mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (expects_key()) {
      set_key(mark, value);
      return;
    }
    const bool quoted = tag == "!";
    const bool null = !quoted && (value == "null" || value == "~" || value == "None");
    YamlNode node = make(null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, mark);
    node.quoted = quoted;
    if (!null) node.text = value;
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (expects_key() || it == anchors_.end()) fail(mark.line + 1, "an alias cannot stand here");
    YamlNode copy = it->second;
    count(copy, mark.line + 1, static_cast<int>(open_.size()));
    add(std::move(copy), YAML::NullAnchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::set<std::string> keys;
    bool has_key = false;
    std::string key;
    int key_line = 0;
  };

  [[noreturn]] void fail(int line, std::string_view what) const {
    throw_error(ErrorCode::kInvalidArgument, "{}:{}: {}", label_, line, what);
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    count_one(mark.line + 1);
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void count_one(int line) {
    if (++num_nodes_ > kMaxYamlNodes) {
      throw_error(ErrorCode::kResourceExhausted, "{}:{}: the file holds more than {} values", label_, line,
                  kMaxYamlNodes);
    }
  }

  // Counts an expanded alias, and checks how deep it reaches.
  void count(const YamlNode& node, int line, int depth) {
    count_one(line);
    check_depth(line, depth);
    for (const YamlNode& item : node.items) count(item, line, depth + 1);
  }

  void check_depth(int line, int depth) const {
    if (depth < kMaxYamlDepth) return;
    throw_error(ErrorCode::kResourceExhausted, "{}:{}: lists and maps are nested more than {} deep", label_, line,
                kMaxYamlDepth);
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap && !open_.back().has_key;
  }

  void set_key(const YAML::Mark& mark, const std::string& key) {
    Open& map = open_.back();
    if (!map.keys.insert(key).second) fail(mark.line + 1, fmt::format("the key '{}' is there twice", key));
    map.has_key = true;
    map.key = key;
    map.key_line = mark.line + 1;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) fail(mark.line + 1, "a key must be plain text, not a list or a map");
    check_depth(mark.line + 1, static_cast<int>(open_.size()));
    open_.push_back({make(kind, mark), anchor, {}, false, {}, 0});
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      count(node, node.line, static_cast<int>(open_.size()));  // kept twice: bounds nested anchors too
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kMap) {
      node.key = std::move(parent.key);
      node.key_line = parent.key_line;
      parent.has_key = false;
    }
    parent.node.items.push_back(std::move(node));
  }

  std::string_view label_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  int num_nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const {
  for (const YamlNode& item : items) {
    if (item.key == name) return &item;
  }
  return nullptr;
}

std::string blank_comments(std::string_view text) {
  std::string result(text);
  size_t i = 0;
  while (i < text.size()) {
    const char previous = i == 0 ? '\n' : text[i - 1];
    const bool token_start = is_space(previous) || contains(",{}[]", previous);
    const bool comment = (text[i] == '#' || text.substr(i, 2) == "//") && (token_start || contains("\"'", previous));
    if (comment) {
      for (; i < text.size() && text[i] != '\n'; ++i) result[i] = ' ';
    } else if (contains("\"'", text[i]) && (token_start || previous == ':')) {
      i = skip_string(text, i);
    } else {
      ++i;
    }
  }
  return result;
}

YamlNode parse_relaxed_yaml(std::string_view text, std::string_view label) {
  if (text.size() > kMaxYamlBytes) {
    throw_error(ErrorCode::kResourceExhausted, "{}: the file has {} bytes; at most {} are read", label, text.size(),
                kMaxYamlBytes);
  }
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw_error(ErrorCode::kInvalidArgument, "{}: byte {} is 0; a config is a text file", label, nul);
  }
  const std::string plain = blank_comments(text);
  std::istringstream stream(plain);
  TreeBuilder builder(label);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const std::string slip = slip_of(plain, error.mark.line + 1);
    if (!slip.empty()) throw_error(ErrorCode::kInvalidArgument, "{}:{}", label, slip);
    throw_error(ErrorCode::kInvalidArgument, "{}:{}: not valid YAML or JSON: {}", label, error.mark.line + 1,
                error.msg);
  } catch (const Error& error) {
    // The parser takes a map that does not end for a key.
    const std::string slip = error.code() == ErrorCode::kInvalidArgument ? slip_of(plain, 0) : "";
    if (slip.empty()) throw;
    throw_error(ErrorCode::kInvalidArgument, "{}:{}", label, slip);
  }
  return builder.take();
}

}  // namespace twofold
