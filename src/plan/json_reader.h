// Typed reading of JSON that comes from outside: plans, rows of graphs.
#ifndef TWOFOLD_SRC_PLAN_JSON_READER_H_
#define TWOFOLD_SRC_PLAN_JSON_READER_H_

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace twofold {

using Json = nlohmann::ordered_json;

template <typename T>
std::vector<std::string_view> words_of(std::span<const T> values) {
  std::vector<std::string_view> words;
  for (const T value : values) words.push_back(to_string(value));
  return words;
}

// A value and its path of keys. What is not as it must be throws Error(kInvalidArgument) "label: path: what". Keeps
// references to JSON and label.
class JsonReader {
 public:
  JsonReader(const Json& json, std::string_view label, std::string path = "")
      : json_(json), label_(label), path_(std::move(path)) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw_error(ErrorCode::kInvalidArgument, "{}: {}{}{}", label_, path_, path_.empty() ? "" : ": ", what);
  }
  const Json& json() const { return json_; }

  // --- objects
  bool has(const char* key) const { return json_.is_object() && json_.contains(key); }
  JsonReader at(const char* key) const {
    if (!json_.is_object()) fail("must be an object");
    if (!json_.contains(key)) fail(fmt::format("'{}' is missing", key));
    return child(json_.at(key), key);
  }
  // Calls `read` with the name and the reader of every entry.
  template <typename Read>
  void entries(const Read& read) const {
    if (!json_.is_object()) fail("must be an object");
    for (const auto& [key, value] : json_.items()) read(key, child(value, key));
  }

  // --- lists
  // What `read` makes of each item.
  template <typename Read>
  auto list(const Read& read) const {
    if (!json_.is_array()) fail("must be a list");
    std::vector<decltype(read(*this))> result;
    for (const Json& item : json_) {
      result.push_back(read(JsonReader(item, label_, fmt::format("{}[{}]", path_, result.size()))));
    }
    return result;
  }
  // The same of the entry `key`; empty where there is none.
  template <typename Read>
  auto list(const char* key, const Read& read) const {
    return has(key) ? at(key).list(read) : std::vector<decltype(read(*this))>();
  }

  // --- the rest
  std::string text() const {
    if (!json_.is_string()) fail("must be a text");
    return json_.get<std::string>();
  }
  bool boolean() const {
    if (!json_.is_boolean()) fail("must be true or false");
    return json_.get<bool>();
  }
  double number() const {
    if (!json_.is_number()) fail("must be a number");
    return json_.get<double>();
  }
  double number(double min, double max) const {
    const double value = json_.is_number() ? json_.get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(value >= min && value <= max)) fail(fmt::format("must be a number from {} to {}", min, max));
    return value;
  }
  int64_t integer() const {
    if (!json_.is_number_integer()) fail("must be an integer");
    return json_.get<int64_t>();
  }
  int integer(int min, int max) const {
    const double value = number(min, max);
    if (!json_.is_number_integer()) fail("must be an integer");
    return static_cast<int>(value);
  }
  // The index of the text among `words`.
  size_t choice(std::span<const std::string_view> words) const {
    const std::string name = text();
    const auto it = std::ranges::find(words, name);
    if (it == words.end()) fail(fmt::format("must be {}, not '{}'", fmt::join(words, ", "), name.substr(0, 60)));
    return static_cast<size_t>(it - words.begin());
  }
  // The one of `choices` whose name the text is.
  template <typename T>
  T word(std::span<const T> choices) const {
    return choices[choice(words_of(choices))];
  }
  template <typename T>
  T word(std::initializer_list<T> choices) const {
    return word(std::span<const T>(choices.begin(), choices.size()));
  }

 private:
  JsonReader child(const Json& json, const std::string& key) const {
    return {json, label_, path_.empty() ? key : path_ + "." + key};
  }

  const Json& json_;
  std::string_view label_;
  std::string path_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_JSON_READER_H_
