#include "plan/optimization.h"

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "plan/op_type_word.h"
#include "plan/precision_words.h"

namespace twofold {

namespace {

// set_<what>_<type>
struct Setting {
  std::string what;
  QType type;
};

std::optional<Setting> parse_setting(std::string_view word) {
  constexpr std::string_view kSet = "set_";
  if (!word.starts_with(kSet)) return std::nullopt;
  word.remove_prefix(kSet.size());
  for (const QType type : {QType::kInt8, QType::kInt16}) {
    const std::string ending = fmt::format("_{}", to_string(type));
    if (!word.ends_with(ending) || word.size() == ending.size()) continue;
    word.remove_suffix(ending.size());
    return Setting{std::string(word), type};
  }
  return std::nullopt;
}

// What is left of `text` in front of `ending`; empty where it does not end so.
std::string without(const std::string& text, std::string_view ending) {
  return text.ends_with(ending) ? text.substr(0, text.size() - ending.size()) : "";
}

bool apply(const std::string& word, QuantConfig& config) {
  ModelConfig& model = config.model;
  if (word == "run_fast") return config.random_data = true;
  if (word == "asymmetric") {
    model.activation.asymmetric = {true};
    return true;
  }
  if (word == "bias_correction") {
    model.weight.bias_correction.emplace();
    return true;
  }
  const std::optional<Setting> setting = parse_setting(word);
  if (!setting) return false;
  if (setting->what == "model_output") {
    model.model_output_type = setting->type;
  } else if (setting->what == "all_nodes") {
    model.all_node_type = setting->type;
  } else if (const std::string of_input = without(setting->what, "_input"); !of_input.empty()) {
    config.optimizations[op_type_of_word(of_input)].qtype = node_qtype(setting->type);
  } else if (const std::string of_output = without(setting->what, "_output"); !of_output.empty()) {
    config.optimizations[op_type_of_word(of_output)].outputs = setting->type;
  } else {
    return false;
  }
  return true;
}

void read_words(const ConfigValue& value, QuantConfig& config) {
  std::string text = value.text();
  for (char& c : text) {
    if (c == ',' || c == ';' || c == '\t' || c == '\n') c = ' ';
  }
  for (size_t begin = text.find_first_not_of(' '); begin != std::string::npos;) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!apply(word, config)) {
      value.fail(
          fmt::format("'{}' is not done here; there are set_model_output_int8, set_all_nodes_int16, "
                      "set_<Op>_input_int8, set_<Op>_output_int8 (or int16 each), asymmetric, bias_correction and "
                      "run_fast",
                      word));
    }
    begin = text.find_first_not_of(' ', end);
  }
}

}  // namespace

void read_optimization(const ConfigValue& value, QuantConfig& config) {
  if (value.is_null()) return;
  for (const ConfigValue& item : value.items_or_self()) read_words(item, config);
}

}  // namespace twofold
