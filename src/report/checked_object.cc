#include "report/checked_object.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

bool is_value(const Json& json) {
  return json.is_number() || json.is_null() || json == "inf" || json == "-inf" || json == "nan";
}

bool is_index(const Json& json) { return json.is_number_unsigned(); }

bool is_number_or_null(const Json& json) { return json.is_number() || json.is_null(); }

bool is_count(const Json& json) { return json.is_number() && json.get<double>() >= 0; }

bool is_name(const Json& json) { return json.is_number() || json.is_string(); }

bool is_text(const Json& json) { return json.is_string(); }

bool is_cell(const Json& json) { return is_name(json) || json.is_null(); }

struct FormRule {
  bool (*holds)(const Json&);
  bool each;  // of a list
  std::string_view words;
};

// In the order of JsonForm.
constexpr FormRule kRules[] = {
    {is_text, false, "text"},
    {[](const Json& json) { return json.is_number(); }, false, "a number"},
    {is_value, false, "a number, null, \"inf\", \"-inf\" or \"nan\""},
    {is_cell, false, "a number, text or null"},
    {is_index, false, "an integer that is not negative"},
    {[](const Json& json) { return json.is_array(); }, false, "a list"},
    {[](const Json& json) { return json.is_object(); }, false, "an object"},
    {is_number_or_null, true, "a list of numbers and nulls"},
    {is_count, true, "a list of numbers that are not negative"},
    {is_name, true, "a list of texts or numbers"},
    {is_text, true, "a list of texts"},
    {is_cell, true, "a list of numbers, texts and nulls"},
    {is_value, true, "a list of numbers, nulls, \"inf\", \"-inf\" and \"nan\""},
    {is_index, true, "a list of integers that are not negative"},
};

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw_error(ErrorCode::kInvalidArgument, "{}: {}", what, error.what());
  }
}

void check_form(const Json& json, JsonForm form, const std::string& where) {
  const FormRule& rule = kRules[static_cast<size_t>(form)];
  const bool holds =
      rule.each ? json.is_array() && std::all_of(json.begin(), json.end(), rule.holds) : rule.holds(json);
  if (!holds) throw_error(ErrorCode::kInvalidArgument, "{} must be {}", where, rule.words);
}

CheckedObject::CheckedObject(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  check_form(json, JsonForm::kObject, where_.empty() ? "it" : where_);
}

const Json& CheckedObject::get(std::string_view key, JsonForm form) {
  const Json* found = find(key, form);
  if (found == nullptr) throw_error(ErrorCode::kInvalidArgument, "{} is missing", path(key));
  return *found;
}

const Json* CheckedObject::find(std::string_view key, JsonForm form) {
  known_.push_back(key);
  const auto found = json_.find(key);
  if (found == json_.end()) return nullptr;
  check_form(*found, form, path(key));
  return &*found;
}

std::string CheckedObject::word(std::string_view key, std::initializer_list<std::string_view> words) {
  const auto word = get(key, JsonForm::kText).get<std::string>();
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    throw_error(ErrorCode::kInvalidArgument, "{} cannot be '{}'; it is one of: {}", path(key), word,
                fmt::join(words, ", "));
  }
  return word;
}

void CheckedObject::finish() const {
  for (const auto& [key, value] : json_.items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      throw_error(ErrorCode::kInvalidArgument, "{} is not known; known are: {}", path(key), fmt::join(known_, ", "));
    }
  }
}

std::string CheckedObject::path(std::string_view key) const {
  return where_.empty() ? std::string(key) : fmt::format("{}.{}", where_, key);
}

std::string CheckedObject::path(std::string_view key, size_t index) const {
  return fmt::format("{}[{}]", path(key), index);
}

void CheckedObject::refuse(std::string_view key, std::string_view must) const {
  throw_error(ErrorCode::kInvalidArgument, "{} must {}", path(key), must);
}

}  // namespace twofold
