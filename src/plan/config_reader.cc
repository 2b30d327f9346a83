#include "plan/config_reader.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/nearest_names.h"

namespace twofold {

namespace {

std::string join_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace

void ConfigValue::fail(const std::string& what) const {
  throw_error(ErrorCode::kInvalidArgument, "{}:{}: {}{}{}", label_, node_->line, path_, path_.empty() ? "" : ": ",
              what);
}

void ConfigValue::fail_unknown_key(const YamlNode& entry, std::span<const std::string> known) const {
  throw_error(ErrorCode::kInvalidArgument, "{}:{}: unknown key '{}'{}; did you mean {}?", label_, entry.key_line,
              entry.key, path_.empty() ? "" : fmt::format(" in {}", path_),
              quoted_list(nearest_names(entry.key, known, 1)));
}

std::vector<ConfigValue> ConfigValue::entries() const {
  std::vector<ConfigValue> result;
  if (is_null()) return result;
  if (!is_map()) fail(fmt::format("must be a map of keys, not {}", describe()));
  for (const YamlNode& item : node_->items) result.emplace_back(item, label_, join_path(path_, item.key));
  return result;
}

std::vector<ConfigValue> ConfigValue::items() const {
  if (!is_list()) fail(fmt::format("must be a list, not {}", describe()));
  std::vector<ConfigValue> result;
  for (const YamlNode& item : node_->items) result.emplace_back(item, label_, path_);
  return result;
}

std::vector<ConfigValue> ConfigValue::items_or_self() const {
  if (!is_list()) return {*this};
  if (node_->items.empty()) fail("the list is empty; name at least one value or leave the key out");
  return items();
}

std::string ConfigValue::text() const {
  if (node_->kind != YamlNode::Kind::kScalar) fail(fmt::format("must be text, not {}", describe()));
  return node_->text;
}

bool ConfigValue::boolean() const {
  if (node_->kind == YamlNode::Kind::kScalar && !node_->quoted) {
    if (node_->text == "true" || node_->text == "True" || node_->text == "TRUE") return true;
    if (node_->text == "false" || node_->text == "False" || node_->text == "FALSE") return false;
  }
  fail(fmt::format("must be true or false, not {}", describe()));
}

int64_t ConfigValue::integer(int64_t min, int64_t max) const {
  const std::string& text = node_->text;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_integer = node_->kind == YamlNode::Kind::kScalar && !node_->quoted && error == std::errc() &&
                          end == text.data() + text.size();
  if (!is_integer || value < min || value > max) {
    fail(fmt::format("must be an integer from {} to {}, not {}", min, max, describe()));
  }
  return value;
}

double ConfigValue::number(double min, double max) const {
  const std::string& text = node_->text;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = node_->kind == YamlNode::Kind::kScalar && !node_->quoted && error == std::errc() &&
                         end == text.data() + text.size() && std::isfinite(value);
  if (!is_number || value < min || value > max) {
    fail(fmt::format("must be a number from {} to {}, not {}", min, max, describe()));
  }
  return value;
}

size_t ConfigValue::word(std::span<const std::string_view> words) const {
  for (size_t i = 0; i < words.size(); ++i) {
    if (node_->kind == YamlNode::Kind::kScalar && node_->text == words[i]) return i;
  }
  fail(fmt::format("must be {}, not {}", fmt::join(words, ", "), describe()));
}

std::string ConfigValue::describe() const {
  switch (node_->kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kList: return "a list";
    case YamlNode::Kind::kMap: return "a map";
    case YamlNode::Kind::kScalar: break;
  }
  constexpr size_t kShown = 60;
  return node_->text.size() <= kShown ? fmt::format("'{}'", node_->text)
                                      : fmt::format("'{}...'", node_->text.substr(0, kShown));
}

}  // namespace twofold
