#include "cli/node_list.h"

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

}  // namespace

std::vector<std::string> parse_node_list(std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.starts_with('[') != rest.ends_with(']')) fail(text, "a bracket is missing");
  if (rest.starts_with('[')) rest = trimmed(rest.substr(1, rest.size() - 2));
  std::vector<std::string> names;
  while (true) {
    size_t end = rest.find(',');
    std::string_view name;
    if (!rest.empty() && (rest[0] == '\'' || rest[0] == '"')) {
      const size_t quote = rest.find(rest[0], 1);
      if (quote == std::string_view::npos) fail(text, "a quote is missing");
      end = rest.find(',', quote);
      if (!trimmed(rest.substr(quote + 1, end == std::string_view::npos ? end : end - quote - 1)).empty()) {
        fail(text, "something follows a quoted name");
      }
      name = rest.substr(1, quote - 1);
    } else {
      name = trimmed(rest.substr(0, end));
    }
    if (name.empty()) fail(text, "a name is empty");
    names.emplace_back(name);
    if (end == std::string_view::npos) return names;
    rest = trimmed(rest.substr(end + 1));
  }
}

}  // namespace twofold
