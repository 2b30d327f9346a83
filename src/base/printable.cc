#include "base/printable.h"

#include <algorithm>

namespace twofold {

namespace {

// Length of the UTF-8 sequence at `i`, 0 where there is none. Python decodes strictly, so surrogates and overlong forms
// count as none.
size_t sequence_length(std::string_view text, size_t i) {
  const auto byte = [text](size_t k) { return static_cast<unsigned char>(k < text.size() ? text[k] : '\0'); };
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

// Of a valid sequence: whether a terminal shows it.
bool is_shown(std::string_view sequence) {
  const auto byte = [sequence](size_t k) { return static_cast<unsigned char>(sequence[k]); };
  if (sequence.size() == 1) return byte(0) >= ' ' && byte(0) != 0x7F;
  if (sequence.size() == 2) return byte(0) != 0xC2 || byte(1) >= 0xA0;  // U+0080 to U+009F control, too
  if (sequence.size() == 4 || byte(0) != 0xE2) return true;
  // U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: directions, and ends of lines and paragraphs.
  if (byte(1) == 0x80) return byte(2) != 0x8E && byte(2) != 0x8F && (byte(2) < 0xA8 || byte(2) > 0xAE);
  return byte(1) != 0x81 || byte(2) < 0xA6 || byte(2) > 0xA9;
}

bool is_inside_sequence(std::string_view text, size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

// The beginning and, half as long, the end. What a message says of a name often stands behind it.
std::string without_middle(std::string_view text, size_t most) {
  constexpr std::string_view kGap = " ... ";
  const size_t rest = (most - kGap.size()) / 3;
  size_t begin = most - kGap.size() - rest, end = text.size() - rest;
  while (begin > 0 && is_inside_sequence(text, begin)) --begin;
  while (is_inside_sequence(text, end)) ++end;
  return std::string(text.substr(0, begin)).append(kGap).append(text.substr(end));
}

}  // namespace

std::string printable(std::string_view text, size_t most) {
  std::string result = text.size() > most ? without_middle(text, most) : std::string(text);
  std::string shown;
  shown.reserve(result.size());
  for (size_t i = 0; i < result.size();) {
    const size_t length = sequence_length(result, i);
    const std::string_view sequence = std::string_view(result).substr(i, std::max<size_t>(length, 1));
    if (result[i] == '\n' || result[i] == '\t') {
      shown += ' ';
    } else if (length == 0 || !is_shown(sequence)) {
      shown += '?';
    } else {
      shown += sequence;
    }
    i += sequence.size();
  }
  return shown;
}

}  // namespace twofold
