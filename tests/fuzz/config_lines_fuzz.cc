// Merges lines into a config, arbitrary text: either a twofold::Error, or the config says what it said and the lines,
// and the text has only grown. The bytes up to a form feed choose the lines, a pair each; the others are the text, in
// which bytes beyond ASCII stand for what configs are made of.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../plan/hostile_names.h"
#include "plan/config.h"
#include "plan/config_lines.h"
#include "plan/relaxed_yaml.h"
#include "property.h"

namespace twofold {
namespace {

// A byte for each, so that what changes a byte changes the structure.
constexpr std::string_view kPieces[] = {
    "model_parameters", "calibration_parameters", "compiler_parameters", "quant_config", "model_config", "op_config",
    "node_config", "subgraph_config", "output_model_file_prefix", "cal_data_dir", "all_node_type", "inputs",
    // Entries, whole and in parts.
    "node_config:\n", "op_config: ", "node_config: {", "\"node_config\": {", "  /a/Conv: {qtype: int16}\n",
    "  /b/Conv:\n    output0: int8\n", "Add: {qtype: int8}", "\"Mul\": {\"input1\": \"int16\"}", "b: {",
    "/c: ", "activation: {calibration_type: max}", "weight: {rounding: nearest}", "qtype: ", "input0: ", "int8",
    "int16", "float32",
    // Ends and beginnings.
    "\n", "\r\n", "\n  ", "\n    ", ":\n", ": ", "{", "}", "{}", "[", "]", ", ", ",\n", " # {", "# :\n", " // ", "'",
    "\"", "null", "~", "\t", "|\n", ">-\n", "|+\n", "---\n", "...\n", "? ", "&a ", "*a", "<<: ", "!!map ",
    // What is not ASCII, no UTF-8, and a mark of byte order.
    "\xc3\xa4", "\xff", "\xef\xbb\xbf"};

std::string text_of(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    if (byte < 0x80) text += static_cast<char>(byte);
    if (byte >= 0x80) text += kPieces[(byte - 0x80) % std::size(kPieces)];
  }
  return text;
}

// The names that a config has, and others.
std::vector<std::string> names_for(std::string_view text) {
  std::vector<std::string> names = {"Add", "/b/Conv"};
  names.insert(names.end(), std::begin(kHostileNames), std::end(kHostileNames));
  if (const auto config = result_or_error([&] { return parse_config(text, "fuzz", "/nonexistent/twofold"); })) {
    for (const auto& [name, level] : config->ops) names.push_back(name);
    for (const auto& [name, level] : config->nodes) names.push_back(name);
  }
  return names;
}

void add_to(LevelConfig& level, uint8_t what) {
  switch (what % 8) {
    case 0: level.qtype = NodeQType::kInt16; break;
    case 1: level.operands[OperandRef::input(0)] = QType::kInt16; break;
    case 2: level.operands[OperandRef::input(1)] = QType::kEc; break;
    case 3: level.activation.methods = {RangeMethod::kMax, RangeMethod::kPercentile}; break;
    case 4: level.activation.max_percentile = {0.999}; break;
    case 5: level.weight.rounding = {Rounding::kNearest}; break;
    case 6: level.weight.bias_correction = BiasCorrection{}; break;
    default: break;
  }
}

QuantConfig lines_of(std::span<const uint8_t> bytes, const std::vector<std::string>& names) {
  QuantConfig lines;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const std::string& name = names[bytes[i] % names.size()];
    add_to(bytes[i + 1] % 16 < 8 ? lines.nodes[name] : lines.ops[name], bytes[i + 1]);
  }
  return lines;
}

bool says_something(const LevelConfig& level) {
  return level.qtype || !level.operands.empty() || level.activation != ActivationConfig{} ||
         level.weight != WeightConfig{};
}

// Whether a level says what its two parts say, of which at most one speaks of each key, and nothing else.
bool is_sum(const LevelConfig& level, const LevelConfig& a, const LevelConfig& b) {
  std::map<OperandRef, QType> operands = a.operands;
  operands.insert(b.operands.begin(), b.operands.end());
  return level.qtype == (a.qtype ? a.qtype : b.qtype) && level.operands == operands &&
         operands.size() == a.operands.size() + b.operands.size() &&
         level.activation == (a.activation != ActivationConfig{} ? a.activation : b.activation) &&
         level.weight == (a.weight != WeightConfig{} ? a.weight : b.weight);
}

using Levels = std::map<std::string, LevelConfig>;

bool are_sums(const Levels& levels, const Levels& a, const Levels& b) {
  const auto in = [](const Levels& of, const std::string& name) {
    const auto it = of.find(name);
    return it == of.end() ? LevelConfig{} : it->second;
  };
  const auto is_there = [&](const auto& named) { return levels.contains(named.first); };
  return std::ranges::all_of(a, is_there) && std::ranges::all_of(b, is_there) &&
         std::ranges::all_of(levels, [&](const auto& named) {
           const auto& [name, level] = named;
           return (a.contains(name) || b.contains(name)) && is_sum(level, in(a, name), in(b, name));
         });
}

// All that a file says but op_config and node_config.
std::string rest_of(const YamlNode& node, std::string_view path = "") {
  const bool holds_sections = path == "" || path == ".quant_config" || path == ".calibration_parameters.quant_config";
  std::string text;
  for (const YamlNode& item : node.items) {
    if (holds_sections && (item.key == "op_config" || item.key == "node_config")) continue;
    text += nlohmann::json(item.key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + ":" +
            rest_of(item, std::string(path) + "." + item.key) + ",";
  }
  // An empty map may become one with sections.
  if (holds_sections && text.empty() && node.kind != YamlNode::Kind::kScalar) return "";
  return std::to_string(static_cast<int>(node.kind)) + (node.quoted ? "q" : "p") + node.text + "{" + text + "}";
}

bool is_subsequence(std::string_view text, std::string_view of) {
  size_t at = 0;
  for (const char c : of) at += at < text.size() && text[at] == c ? 1 : 0;
  return at == text.size();
}

void check(std::string_view text, const QuantConfig& lines, const std::string& merged) {
  const QuantConfig before = parse_config(text, "before");
  const auto after = result_or_error([&] { return parse_config(merged, "merged"); });
  require(after.has_value(), "the merged text is a config", merged);
  require(are_sums(after->nodes, before.nodes, lines.nodes) && are_sums(after->ops, before.ops, lines.ops),
          "op_config and node_config are what they were and the lines", merged);
  require(rest_of(parse_relaxed_yaml(merged, "merged")) == rest_of(parse_relaxed_yaml(text, "before")),
          "nothing but op_config and node_config changes", merged);
  require(is_subsequence(text, merged), "all of the text is there", merged);
  require(!nlohmann::json::accept(text) || nlohmann::json::accept(merged), "JSON stays JSON", merged);

  const auto add_to_merged = [&](const QuantConfig& more) {
    return result_or_error([&] { return add_config_lines(merged, "merged", more); });
  };
  require(add_to_merged(QuantConfig{}) == merged, "no lines change nothing", merged);
  const auto speaks = [](const auto& named) { return says_something(named.second); };
  const bool conflicts = std::ranges::any_of(lines.ops, speaks) || std::ranges::any_of(lines.nodes, speaks);
  const auto twice = add_to_merged(lines);
  require(conflicts ? !twice : twice == merged, "lines are not merged twice", merged);
}

}  // namespace
}  // namespace twofold

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twofold;
  const uint8_t* separator = std::find(data, data + size, '\f');
  if (separator == data + size) return 0;
  const std::string text = text_of({separator + 1, data + size});
  const QuantConfig lines = lines_of({data, separator}, names_for(text));
  const auto merged = result_or_error([&] { return add_config_lines(text, "fuzz", lines); });
  if (merged) check(text, lines, *merged);
  return 0;
}
