#include "plan/config_lines.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "plan/op_type_word.h"
#include "plan/relaxed_yaml.h"
#include "plan/settings_json.h"

namespace twofold {

namespace {

// As JSON and YAML have it. What is not UTF-8 is replaced, for want of a way to write it.
std::string in_quotes(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A word as YAML has it: in quotes where it is not plain, or means something else.
std::string word(const std::string& text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '/' || c == '.' || c == '-';
  });
  const bool safe = plain && text.find("//") == std::string::npos &&
                    (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/');
  static const std::set<std::string> kNothing = {"null", "Null", "NULL"};
  return safe && !kNothing.contains(text) ? text : in_quotes(text);
}

// In braces and brackets, as JSON; or as YAML, which needs fewer quotes, and no brackets around one value.
std::string flow(const Json& json, bool is_json = false) {
  if (!is_json && json.is_array() && json.size() == 1) return flow(json.front());
  if (json.is_string()) return is_json ? in_quotes(json.get<std::string>()) : word(json.get<std::string>());
  if (!json.is_structured()) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items()) {
    if (!text.empty()) text += ", ";
    if (json.is_object()) text += (is_json ? in_quotes(key) : word(key)) + ": ";
    text += flow(value, is_json);
  }
  return json.is_object() ? "{" + text + "}" : "[" + text + "]";
}

Json level_json(const LevelConfig& level) {
  Json json = Json::object();
  if (level.qtype) json["qtype"] = to_string(*level.qtype);
  for (const auto& [operand, qtype] : level.operands) json[to_string(operand)] = to_string(qtype);
  if (level.activation != ActivationConfig{}) json["activation"] = settings_json(level.activation);
  if (level.weight != WeightConfig{}) json["weight"] = settings_json(level.weight);
  return json;
}

using Levels = std::map<std::string, LevelConfig>;

std::string section_lines(std::string_view section, const Levels& levels, const std::string& indent) {
  if (levels.empty()) return "";
  std::string text = fmt::format("{}{}:\n", indent, section);
  for (const auto& [name, level] : levels) {
    text += fmt::format("{}  {}: {}\n", indent, word(name), flow(level_json(level)));
  }
  return text;
}

// Text that goes into a file, by the places that its lines have now.
class Insertion {
 public:
  explicit Insertion(std::string_view text) {
    while (!text.empty()) {
      const size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
      lines_.emplace_back(text.substr(0, size));
      text.remove_prefix(size);
    }
  }

  // Lines count from 1.
  std::string indent_of(int number) const {
    const std::string& line = lines_[static_cast<size_t>(number - 1)];
    return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  }
  // Whether the value is a map in braces.
  bool has_brace(const YamlNode& value) const {
    if (value.kind != YamlNode::Kind::kMap || static_cast<size_t>(value.line) > lines_.size()) return false;
    const std::string& line = lines_[static_cast<size_t>(value.line - 1)];
    return static_cast<size_t>(value.column) <= line.size() && line[static_cast<size_t>(value.column - 1)] == '{';
  }

  // Whole lines, behind that one and behind those of earlier calls.
  void behind_line(int number, const std::string& lines) { behind_[number] += lines; }
  void at_end(const std::string& lines) { behind_line(static_cast<int>(lines_.size()), lines); }
  // REQUIRES: has_brace(map).
  void into(const YamlNode& map, const std::string& entry) {
    Entries& there = inside_[map.line][map.column];
    if (!there.text.empty()) there.text += ", ";
    there.text += entry;
    there.more_follow = !map.items.empty();
  }

  std::string text() const {
    std::string result;
    for (size_t i = 0; i <= lines_.size(); ++i) {
      if (i > 0) result += with_entries(static_cast<int>(i));
      const auto behind = behind_.find(static_cast<int>(i));
      if (behind == behind_.end()) continue;
      if (!result.empty() && !result.ends_with('\n')) result += '\n';
      result += behind->second;
    }
    return result;
  }

 private:
  struct Entries {
    std::string text;
    bool more_follow = false;
  };

  std::string with_entries(int number) const {
    std::string line = lines_[static_cast<size_t>(number - 1)];
    const auto it = inside_.find(number);
    if (it == inside_.end()) return line;
    // From the last column to the first, so that columns stay true.
    for (auto place = it->second.rbegin(); place != it->second.rend(); ++place) {
      const auto& [column, entries] = *place;
      line.insert(static_cast<size_t>(column), entries.text + (entries.more_follow ? ", " : ""));
    }
    return line;
  }

  std::vector<std::string> lines_;                // with their ends: the last one may have none, and keeps that
  std::map<int, std::string> behind_;             // by line
  std::map<int, std::map<int, Entries>> inside_;  // by line and column of the brace
};

[[noreturn]] void fail(std::string_view label, std::string_view why) {
  throw_error(ErrorCode::kInvalidArgument, "{}: lines cannot be merged into this file: {}", label, why);
}

// The map that holds op_config and the like.
const YamlNode& quant_config_of(const YamlNode& tree, std::string_view label) {
  const YamlNode* found = tree.find("quant_config");
  const YamlNode* calibration = tree.find("calibration_parameters");
  if (found == nullptr && calibration != nullptr) found = calibration->find("quant_config");
  if (found == nullptr && (calibration != nullptr || tree.find("model_parameters") != nullptr)) {
    fail(label, "it has no quant_config: add one to calibration_parameters");
  }
  if (found != nullptr && found->kind == YamlNode::Kind::kScalar) {
    fail(label, "its quant_config names another file: give that one");
  }
  return found != nullptr ? *found : tree;
}

// Whether two files say the same besides what is in op_config and node_config; `root` is the first one's quant_config.
bool is_same_besides_sections(const YamlNode& a, const YamlNode& b, const YamlNode& root) {
  const bool is_root = &a == &root;
  const auto items = [&](const YamlNode& node) {
    std::vector<const YamlNode*> result;
    for (const YamlNode& item : node.items) {
      if (!is_root || (item.key != "op_config" && item.key != "node_config")) result.push_back(&item);
    }
    return result;
  };
  // A quant_config that said nothing has become a map.
  return (is_root || a.kind == b.kind) && a.quoted == b.quoted && a.key == b.key && a.text == b.text &&
         std::ranges::equal(items(a), items(b), [&](const YamlNode* x, const YamlNode* y) {
           return is_same_besides_sections(*x, *y, root);
         });
}

class Merge {
 public:
  Merge(std::string_view text, std::string_view label, const QuantConfig& lines)
      : label_(label),
        lines_(lines),
        is_json_(Json::accept(text)),
        tree_(parse_relaxed_yaml(text, label)),
        root_(quant_config_of(tree_, label)),
        insertion_(text) {}
  Merge(const Merge&) = delete;
  Merge& operator=(const Merge&) = delete;

  std::string run() {
    add_section("op_config", lines_.ops);
    add_section("node_config", lines_.nodes);
    return insertion_.text();
  }

  // Whether `merged` says what the file says and nothing else besides op_config and node_config, and is JSON if it is.
  bool keeps_the_rest(std::string_view merged) const {
    return (!is_json_ || Json::accept(merged)) &&
           is_same_besides_sections(tree_, parse_relaxed_yaml(merged, label_), root_);
  }

 private:
  void add_section(const std::string& section, const Levels& levels) {
    if (levels.empty()) return;
    const YamlNode* there = root_.find(section);
    if (there != nullptr) {
      for (const auto& [name, level] : levels) add_level(*there, name, level);
    } else if (insertion_.has_brace(root_)) {
      Json json = Json::object();
      for (const auto& [name, level] : levels) json[name] = level_json(level);
      insertion_.into(root_, entry(section, json));
    } else {
      add_lines(root_, section_lines(section, levels, indent_in(root_)));
    }
  }

  // Operators may be spelled with other capital letters.
  static const YamlNode* find_level(const YamlNode& section, const std::string& name) {
    for (const YamlNode& entry : section.items) {
      if (entry.key == name || (section.key == "op_config" && op_type_of_word(entry.key) == name)) return &entry;
    }
    return nullptr;
  }

  void add_level(const YamlNode& section, const std::string& name, const LevelConfig& level) {
    const YamlNode* there = find_level(section, name);
    if (there == nullptr) return add_entry(section, name, level_json(level));
    const Json json = level_json(level);
    for (const auto& [key, value] : json.items()) {
      if (there->find(key) != nullptr) fail(label_, fmt::format("'{}' has a {} of its own", name, key));
      add_entry(*there, key, value);
    }
  }

  void add_entry(const YamlNode& map, const std::string& key, const Json& value) {
    if (insertion_.has_brace(map)) return insertion_.into(map, entry(key, value));
    add_lines(map, fmt::format("{}{}\n", indent_in(map), entry(key, value)));
  }

  std::string entry(const std::string& key, const Json& value) const {
    return fmt::format("{}: {}", is_json_ ? in_quotes(key) : word(key), flow(value, is_json_));
  }

  // Into a map without braces, in front of its entries and what is written above the first one.
  void add_lines(const YamlNode& map, const std::string& lines) {
    if (&map == &tree_) return insertion_.at_end(lines);
    insertion_.behind_line(map.key_line, lines);
  }

  std::string indent_in(const YamlNode& map) const {
    if (!map.items.empty()) return insertion_.indent_of(map.items.front().key_line);
    return &map == &tree_ ? "" : insertion_.indent_of(map.key_line) + "  ";
  }

  const std::string label_;
  const QuantConfig& lines_;
  const bool is_json_;
  const YamlNode tree_;
  const YamlNode& root_;  // in tree_
  Insertion insertion_;
};

}  // namespace

std::string config_lines(const QuantConfig& config) {
  return section_lines("op_config", config.ops, "") + section_lines("node_config", config.nodes, "");
}

std::string add_config_lines(std::string_view text, std::string_view label, const QuantConfig& lines) {
  // First, since it knows a file that only names another one, which parse_config would look for.
  Merge merge(text, label, lines);
  // Whatever the file looks like, it must say afterwards what it said before, and the lines.
  QuantConfig expected = parse_config(text, label);
  const auto add = [](const Levels& from, Levels& to) {
    for (const auto& [name, level] : from) {
      LevelConfig& there = to[name];
      if (level.qtype) there.qtype = level.qtype;
      there.operands.insert(level.operands.begin(), level.operands.end());
      if (level.activation != ActivationConfig{}) there.activation = level.activation;
      if (level.weight != WeightConfig{}) there.weight = level.weight;
    }
  };
  add(lines.ops, expected.ops);
  add(lines.nodes, expected.nodes);
  const std::string merged = merge.run();
  const auto says_it = [&] {
    try {
      const QuantConfig found = parse_config(merged, label);
      return found.ops == expected.ops && found.nodes == expected.nodes && merge.keeps_the_rest(merged);
    } catch (const Error&) {
      return false;
    }
  };
  if (says_it()) return merged;
  throw_error(ErrorCode::kInvalidArgument,
              "{}: lines cannot be merged into a file that is written like this: paste them", label);
}

}  // namespace twofold
