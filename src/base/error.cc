#include "base/error.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace twofold {

namespace {

// Length of the UTF-8 sequence at `i`, 0 where there is none. Python decodes strictly, so surrogates and overlong forms
// count as none.
size_t sequence_length(const std::string& text, size_t i) {
  const auto byte = [&text](size_t k) { return static_cast<unsigned char>(k < text.size() ? text[k] : '\0'); };
  const unsigned char lead = byte(i), second = byte(i + 1);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                        : (lead & 0xF0) == 0xE0       ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second >= 0xA0) || (lead == 0xF4 && second >= 0x90);
  if (overlong || outside) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::string as_utf8(std::string text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = sequence_length(text, i);
    if (length == 0) text[i] = '?';
    i += length == 0 ? 1 : length;
  }
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message) : std::runtime_error(as_utf8(message)), code_(code) {}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace twofold
