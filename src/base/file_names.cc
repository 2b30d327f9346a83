#include "base/file_names.h"

#include <fmt/format.h>

#include "base/content_hash.h"

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

std::string folder_name(std::string_view tensor) {
  constexpr size_t kLongest = 200;
  std::string result;
  for (const char c : tensor) {
    const auto byte = static_cast<unsigned char>(c);
    const bool hides = c == '.' && result.empty();
    const bool plain = byte > 0x1f && byte != 0x7f && c != '/' && c != '%' && !hides;
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  if (result.empty()) return "%";
  if (result.size() <= kLongest) return result;
  ContentHasher hasher;
  hasher.add(tensor);
  return result.substr(0, kLongest) + "%" + hasher.result().hex();
}

std::string FileNames::next(std::string_view name, std::string_view fallback) {
  std::string result = file_name(name, fallback);
  while (!taken_.insert(result).second) result += "_";
  return result;
}

}  // namespace twofold
