// Text with names out of files, made fit for a line on a terminal.
#ifndef TWOFOLD_SRC_BASE_PRINTABLE_H_
#define TWOFOLD_SRC_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace twofold {

// Line breaks and tabs become blanks. What a terminal obeys rather than shows (control characters, among them the one
// that begins escape sequences, and the marks that turn the direction of text) and bytes that are not UTF-8 become '?'.
// Of text of more than `most` bytes the middle becomes "...". REQUIRES: most >= 16.
std::string printable(std::string_view text, size_t most);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_PRINTABLE_H_
