#include "plan/node_info.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "plan/input_parameters.h"
#include "plan/operand_ref.h"
#include "plan/precision_words.h"

namespace twofold {

namespace {

constexpr std::string_view kInputType = "InputType", kOutputType = "OutputType";
constexpr QType kTypes[] = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};

// The operand of "InputType3"; absent for another key.
std::optional<OperandRef> operand_of(const std::string& key) {
  if (key.starts_with(kInputType)) return parse_operand("input" + key.substr(kInputType.size()));
  if (key.starts_with(kOutputType)) return parse_operand("output" + key.substr(kOutputType.size()));
  return std::nullopt;
}

void read_entry_of_node(const ConfigValue& node, const ConfigValue& entry, LevelConfig& level) {
  const std::string& key = entry.node().key;
  if (key == kInputType) {
    level.qtype = node_qtype(read_precision(entry, kTypes));
  } else if (key == kOutputType) {
    level.outputs = read_output_precision(entry, kTypes);
  } else if (const std::optional<OperandRef> operand = operand_of(key)) {
    level.operands[*operand] =
        operand->is_output ? read_output_precision(entry, kTypes) : read_precision(entry, kTypes);
  } else {
    static const std::vector<std::string> kKnown = {"ON", "InputType", "OutputType", "InputType0", "OutputType0"};
    node.fail_unknown_key(entry.node(), kKnown);
  }
}

void read_node(const ConfigValue& node, QuantConfig& config) {
  LevelConfig level;
  std::optional<ConfigValue> place;
  bool on_cpu = false;
  for (const ConfigValue& entry : node.entries()) {
    if (entry.node().key != "ON") {
      read_entry_of_node(node, entry, level);
      continue;
    }
    static constexpr std::string_view kPlaces[] = {"BPU", "CPU"};
    on_cpu = entry.word(kPlaces) == 1;
    place = entry;
  }
  const bool has_types = level != LevelConfig{};
  if (on_cpu && has_types) {
    place->fail("a node on the CPU stays float32; leave out its types, or put it ON: BPU");
  }
  if (on_cpu) level.qtype = NodeQType::kFloat32;
  if (on_cpu || has_types) {
    config.node_info[node.node().key] = level;
  } else if (place) {
    config.unused_keys.push_back(place->path());
  }
}

}  // namespace

void read_node_info(const ConfigValue& value, QuantConfig& config) {
  if (value.is_null() || value.is_map()) {
    for (const ConfigValue& node : value.entries()) read_node(node, config);
    return;
  }
  for (const std::string& entry : read_separated(value)) {
    // Names may hold colons.
    const size_t colon = entry.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      value.fail(fmt::format("'{}' must be a node and its type, as in Conv_0:int16", entry));
    }
    YamlNode type = value.node();
    type.kind = YamlNode::Kind::kScalar;
    type.text = entry.substr(colon + 1);
    type.text.erase(0, type.text.find_first_not_of(' '));
    const std::string name = entry.substr(0, entry.find_last_not_of(' ', colon - 1) + 1);
    const ConfigValue word(type, value.label(), value.path() + "." + name);
    config.node_info[name].qtype = node_qtype(read_precision(word, kTypes));
  }
}

void read_run_on_cpu(const ConfigValue& value, QuantConfig& config) {
  for (const std::string& name : read_separated(value)) {
    if (name.empty()) value.fail("a node is missing between two ';'");
    config.node_info[name] = {.qtype = NodeQType::kFloat32};
  }
}

}  // namespace twofold
