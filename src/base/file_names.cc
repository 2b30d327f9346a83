#include "base/file_names.h"

namespace twofold {

std::string file_name(std::string_view name, std::string_view fallback) {
  constexpr size_t kLongest = 200;
  std::string result(name.empty() ? fallback : name.substr(0, kLongest));
  for (char& c : result) {
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.')) c = '_';
  }
  if (result[0] == '.') result[0] = '_';
  return result;
}

std::string FileNames::next(std::string_view name, std::string_view fallback) {
  std::string result = file_name(name, fallback);
  while (!taken_.insert(result).second) result += "_";
  return result;
}

}  // namespace twofold
