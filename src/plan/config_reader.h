// Typed reading of a YamlNode tree: tables of keys, and values with their allowed ranges.
#ifndef TWOFOLD_SRC_PLAN_CONFIG_READER_H_
#define TWOFOLD_SRC_PLAN_CONFIG_READER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/relaxed_yaml.h"

namespace twofold {

// Where a value stands: the tree's node and its path of keys ("quant_config.node_config.Conv_1"), for messages.
class ConfigValue {
 public:
  ConfigValue(const YamlNode& node, std::string_view label, std::string path = "")
      : node_(&node), label_(label), path_(std::move(path)) {}

  const YamlNode& node() const { return *node_; }
  const std::string& path() const { return path_; }
  std::string_view label() const { return label_; }
  bool is_null() const { return node_->kind == YamlNode::Kind::kNull; }
  bool is_list() const { return node_->kind == YamlNode::Kind::kList; }
  bool is_map() const { return node_->kind == YamlNode::Kind::kMap; }

  // Throws Error(kInvalidArgument) "label:line: path: what".
  [[noreturn]] void fail(const std::string& what) const;
  // The same, for a key that is not known: names the nearest ones.
  [[noreturn]] void fail_unknown_key(const YamlNode& entry, std::span<const std::string> known) const;

  // The entries of a map (none for null), the items of a list, or the value alone where it is not a list.
  std::vector<ConfigValue> entries() const;
  std::vector<ConfigValue> items() const;
  std::vector<ConfigValue> items_or_self() const;

  // What the value must be; throws if it is not.
  std::string text() const;
  bool boolean() const;
  int64_t integer(int64_t min, int64_t max) const;
  double number(double min, double max) const;
  // The index of the value among `words`.
  size_t word(std::span<const std::string_view> words) const;
  // What stands there, for messages: "'int4'", "a list".
  std::string describe() const;

 private:
  const YamlNode* node_;
  std::string_view label_;
  std::string path_;
};

// One key of a map that is read into a T.
template <typename T>
struct ConfigKey {
  std::string_view name;
  void (*read)(const ConfigValue& value, T& out);
};

// Reads one entry of a map with the function of its key. Throws for a key that is not in the table.
template <typename T>
void read_entry(const ConfigValue& map, const ConfigValue& entry, std::span<const ConfigKey<T>> keys, T& out) {
  for (const ConfigKey<T>& key : keys) {
    if (key.name == entry.node().key) return key.read(entry, out);
  }
  std::vector<std::string> names;
  for (const ConfigKey<T>& key : keys) names.emplace_back(key.name);
  map.fail_unknown_key(entry.node(), names);
}

// Reads every entry of a map so.
template <typename T>
void read_map(const ConfigValue& map, std::span<const ConfigKey<T>> keys, T& out) {
  for (const ConfigValue& entry : map.entries()) read_entry(map, entry, keys, out);
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_CONFIG_READER_H_
