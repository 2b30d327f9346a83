#include "cli/node_list.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

[[noreturn]] void fail(std::string_view text, std::string_view what) {
  throw_error(ErrorCode::kInvalidArgument, "'{}' is no list of nodes: {}; write it as \"[first,second]\"", text, what);
}

// Reads names, and lists of them, from the front of a text.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text), rest_(trimmed(text)) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_ = trimmed(rest_.substr(1));
    return true;
  }
  [[noreturn]] void fail(std::string_view what) const { twofold::fail(text_, what); }

  std::string name() {
    std::string_view name;
    if (!rest_.empty() && (rest_[0] == '\'' || rest_[0] == '"')) {
      const size_t quote = rest_.find(rest_[0], 1);
      if (quote == std::string_view::npos) fail("a quote is missing");
      name = rest_.substr(1, quote - 1);
      rest_ = trimmed(rest_.substr(quote + 1));
      if (!rest_.empty() && rest_[0] != ',' && rest_[0] != ']') fail("something follows a quoted name");
    } else {
      const size_t end = std::min(rest_.find_first_of(",[]"), rest_.size());
      name = trimmed(rest_.substr(0, end));
      rest_ = trimmed(rest_.substr(end));
    }
    if (name.empty()) fail("a name is empty");
    return std::string(name);
  }

  // Names up to the end, or up to a bracket that closes.
  std::vector<std::string> names() {
    std::vector<std::string> names = {name()};
    while (take(',')) names.push_back(name());
    return names;
  }

  // Behind the last item.
  void end(bool bracket) {
    if (bracket && !take(']')) fail("a bracket is missing");
    if (done()) return;
    fail(rest_[0] == ']' ? "a bracket is missing" : "something follows the list");
  }

 private:
  const std::string_view text_;
  std::string_view rest_;
};

}  // namespace

std::vector<std::string> parse_node_list(std::string_view text) {
  ListReader reader(text);
  const bool bracket = reader.take('[');
  std::vector<std::string> names = reader.names();
  reader.end(bracket);
  return names;
}

std::vector<std::vector<std::string>> parse_node_lists(std::string_view text) {
  ListReader reader(text);
  const bool bracket = reader.take('[');
  std::vector<std::vector<std::string>> lists;
  do {
    if (reader.take('[')) {
      lists.push_back(reader.names());
      if (!reader.take(']')) reader.fail("a bracket is missing");
    } else {
      lists.push_back({reader.name()});
    }
  } while (reader.take(','));
  reader.end(bracket);
  return lists;
}

}  // namespace twofold
