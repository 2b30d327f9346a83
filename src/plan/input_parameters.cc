#include "plan/input_parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace twofold {

namespace {

// One key's values, an entry per input; absent where the key is.
struct Section {
  std::vector<std::string>* unused_keys;
  std::optional<ConfigValue> name, shape, mean, scale, std, colours, layout;
};

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find_first_of(separators);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// A ';' may end the last entry as well as begin an empty one: drops empty entries at the end that no input is there
// for.
template <typename T>
void drop_empty_end(std::vector<T>& entries, size_t inputs) {
  while (entries.size() > inputs && entries.back().empty()) entries.pop_back();
}

double parse_number(const ConfigValue& value, const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    value.fail(
        fmt::format("'{}' is not a number; write the numbers of one input with spaces between them, and ';' "
                    "between inputs",
                    text.substr(0, 60)));
  }
  return number;
}

std::vector<double> parse_numbers(const ConfigValue& value, const std::string& text) {
  std::vector<double> numbers;
  for (const std::string& part : split(text, " ,\t")) {
    if (!part.empty()) numbers.push_back(parse_number(value, part));
  }
  return numbers;
}

bool is_number_list(const ConfigValue& value) {
  for (const ConfigValue& item : value.items()) {
    if (item.node().kind != YamlNode::Kind::kScalar || item.node().quoted) return false;
    if (item.node().text.find_first_of(" \t;") != std::string::npos) return false;
  }
  return true;
}

// Per input its numbers: a number, a text, a list of numbers (one input), or a list of texts or lists (an entry each).
std::vector<std::vector<double>> read_numbers(const ConfigValue& value) {
  std::vector<std::vector<double>> result;
  if (value.is_null()) return result;
  if (!value.is_list()) {
    for (const std::string& part : split(value.text(), ";")) result.push_back(parse_numbers(value, part));
    return result;
  }
  if (is_number_list(value)) {
    result.emplace_back();
    for (const ConfigValue& item : value.items()) result.back().push_back(parse_number(item, item.text()));
    return result;
  }
  for (const ConfigValue& item : value.items()) {
    result.emplace_back();
    if (!item.is_list()) {
      result.back() = parse_numbers(item, item.text());
      continue;
    }
    for (const ConfigValue& number : item.items()) result.back().push_back(parse_number(number, number.text()));
  }
  return result;
}

int64_t parse_dimension(const ConfigValue& value, const std::string& text) {
  int64_t dimension = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dimension);
  if (text == "?") return -1;
  if (error != std::errc() || end != text.data() + text.size() || dimension == 0 || dimension < -1) {
    value.fail(
        fmt::format("'{}' is not a dimension; write shapes as 1x3x224x224, with -1 where a dimension varies, "
                    "and ';' between inputs",
                    text.substr(0, 60)));
  }
  return dimension;
}

std::vector<Shape> read_shapes(const ConfigValue& value) {
  std::vector<Shape> result;
  if (value.is_null()) return result;
  std::vector<std::string> texts;
  if (!value.is_list()) {
    texts = split(value.text(), ";");
  } else if (is_number_list(value) && !value.items().empty() &&
             value.items()[0].text().find('x') == std::string::npos) {
    result.emplace_back();
    for (const ConfigValue& item : value.items()) result.back().push_back(parse_dimension(item, item.text()));
    return result;
  } else {
    for (const ConfigValue& item : value.items()) texts.push_back(item.text());
  }
  for (const std::string& text : texts) {
    result.emplace_back();
    if (text.empty()) continue;
    for (const std::string& part : split(text, "xX,")) result.back().push_back(parse_dimension(value, part));
  }
  return result;
}

template <typename T>
void fit_count(const ConfigValue& value, std::vector<T>& entries, size_t inputs) {
  drop_empty_end(entries, inputs);
  const size_t count = entries.size();
  if (count == inputs || count == 0) return;
  value.fail(
      fmt::format("{} value{} for {} input{}; separate inputs by ';', and leave the place of an input that has "
                  "none empty",
                  count, count == 1 ? "" : "s", inputs, inputs == 1 ? "" : "s"));
}

// How numbers are stored: scale_value as it is, std_value as its inverse.
void set_scales(const ConfigValue& value, bool inverse, InputParameters& inputs) {
  std::vector<std::vector<double>> numbers = read_numbers(value);
  fit_count(value, numbers, inputs.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i].empty()) continue;
    if (!inputs[i].scale.empty()) value.fail("give scale_value or std_value for an input, not both");
    for (const double number : numbers[i]) {
      const double scale = inverse ? 1.0 / number : number;
      if (number == 0 || !std::isfinite(scale)) value.fail("must not be 0");
      inputs[i].scale.push_back(scale);
    }
    const size_t mean = inputs[i].mean.size(), scale = inputs[i].scale.size();
    if (mean > 1 && scale > 1 && mean != scale) {
      value.fail(fmt::format("{} values, but mean_value has {} for the same input", scale, mean));
    }
  }
}

// How many inputs the section describes: by its names if there are any, else by the longest of the other keys.
size_t count_inputs(const Section& section) {
  size_t count = section.name ? read_separated(*section.name).size() : 0;
  if (count > 0) return count;
  const auto raise = [&count](auto entries) {
    drop_empty_end(entries, 0);
    count = std::max(count, entries.size());
  };
  if (section.shape) raise(read_shapes(*section.shape));
  for (const auto* numbers : {&section.mean, &section.scale, &section.std}) {
    if (*numbers) raise(read_numbers(**numbers));
  }
  return count;
}

void not_used(const ConfigValue& value, Section& section) { section.unused_keys->push_back(value.path()); }

// A word per input, or one for all of them.
void set_words(const ConfigValue& value, std::string InputConfig::*word, InputParameters& inputs) {
  const std::vector<std::string> words = read_separated(value);
  inputs.resize(std::max(inputs.size(), words.size()));
  for (size_t i = 0; i < inputs.size() && !words.empty(); ++i) {
    if (words.size() == 1 || i < words.size()) inputs[i].*word = words[words.size() == 1 ? 0 : i];
  }
}

constexpr ConfigKey<Section> kKeys[] = {
    {"input_name", [](const ConfigValue& value, Section& section) { section.name = value; }},
    {"input_shape", [](const ConfigValue& value, Section& section) { section.shape = value; }},
    {"mean_value", [](const ConfigValue& value, Section& section) { section.mean = value; }},
    {"scale_value", [](const ConfigValue& value, Section& section) { section.scale = value; }},
    {"std_value", [](const ConfigValue& value, Section& section) { section.std = value; }},
    {"input_type_train", [](const ConfigValue& value, Section& section) { section.colours = value; }},
    {"input_layout_train", [](const ConfigValue& value, Section& section) { section.layout = value; }},
    {"input_type_rt", not_used},
    {"input_layout_rt", not_used},
    {"input_space_and_range", not_used},
    {"norm_type", not_used},
    {"input_batch", not_used},
    {"separate_batch", not_used},
    {"separate_name", not_used},
};

}  // namespace

std::vector<std::string> read_separated(const ConfigValue& value) {
  if (value.is_null()) return {};
  std::vector<std::string> parts;
  if (value.is_list()) {
    for (const ConfigValue& item : value.items()) parts.push_back(item.text());
  } else {
    parts = split(value.text(), ";");
  }
  drop_empty_end(parts, 0);
  return parts;
}

InputParameters read_input_parameters(const ConfigValue& value, std::vector<std::string>& unused_keys) {
  Section section{&unused_keys, {}, {}, {}, {}, {}, {}, {}};
  read_map<Section>(value, kKeys, section);
  InputParameters inputs(count_inputs(section));
  if (section.name) {
    const std::vector<std::string> names = read_separated(*section.name);
    for (size_t i = 0; i < names.size(); ++i) inputs[i].name = names[i];
  }
  if (section.shape) {
    std::vector<Shape> shapes = read_shapes(*section.shape);
    fit_count(*section.shape, shapes, inputs.size());
    for (size_t i = 0; i < shapes.size(); ++i) inputs[i].shape = shapes[i];
  }
  if (section.mean) {
    std::vector<std::vector<double>> means = read_numbers(*section.mean);
    fit_count(*section.mean, means, inputs.size());
    for (size_t i = 0; i < means.size(); ++i) inputs[i].mean = means[i];
  }
  if (section.scale) set_scales(*section.scale, false, inputs);
  if (section.std) set_scales(*section.std, true, inputs);
  if (section.colours) set_words(*section.colours, &InputConfig::colours, inputs);
  if (section.layout) set_words(*section.layout, &InputConfig::layout, inputs);
  return inputs;
}

}  // namespace twofold
