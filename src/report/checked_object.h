// Reading JSON of a fixed form: whatever is not as expected is an error that names the key.
#ifndef TWOFOLD_SRC_REPORT_CHECKED_OBJECT_H_
#define TWOFOLD_SRC_REPORT_CHECKED_OBJECT_H_

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// What a value may be.
enum class JsonForm {
  kText,
  kNumber,
  kValue,    // a number, null (NaN), or "inf", "-inf", "nan"
  kCell,     // what stands in a table: a number, text or null
  kIndex,    // an integer that is not negative
  kList,     // of anything
  kObject,   // with anything
  kNumbers,  // a list of numbers and nulls
  kCounts,   // a list of numbers that are not negative
  kNames,    // a list of texts and numbers
  kTexts,
  kCells,
  kValues,   // a list of kValue
  kIndices,  // a list of kIndex
};

// Parses JSON. Throws Error(kInvalidArgument) that begins with `what` where it is none, or no UTF-8.
nlohmann::ordered_json parse_json(std::string_view text, std::string_view what);

// Throws Error(kInvalidArgument) unless `json`, found at `where`, has the form.
void check_form(const nlohmann::ordered_json& json, JsonForm form, const std::string& where);

// One object, whose keys are asked for one by one. All errors are Error(kInvalidArgument).
class CheckedObject {
 public:
  // `where` is how messages call the object, as in "figures[2].figure". Refers to `json`.
  CheckedObject(const nlohmann::ordered_json& json, std::string where);

  // The value of a key, which must be there.
  const nlohmann::ordered_json& get(std::string_view key, JsonForm form);
  // nullptr where the key is not there.
  const nlohmann::ordered_json* find(std::string_view key, JsonForm form);
  // A text that must be one of these words.
  std::string word(std::string_view key, std::initializer_list<std::string_view> words);
  // Refuses keys that nobody has asked for.
  void finish() const;

  // How messages call a key of the object, or an entry of the list that it holds.
  std::string path(std::string_view key) const;
  std::string path(std::string_view key, size_t index) const;
  // Throws that what is at a key must be as said.
  [[noreturn]] void refuse(std::string_view key, std::string_view must) const;

 private:
  const nlohmann::ordered_json& json_;
  std::string where_;
  std::vector<std::string_view> known_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_REPORT_CHECKED_OBJECT_H_
