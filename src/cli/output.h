// What commands print.
#ifndef TWOFOLD_SRC_CLI_OUTPUT_H_
#define TWOFOLD_SRC_CLI_OUTPUT_H_

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/table.h"

namespace twofold {

// Whoever reads what is printed has had enough: not an error.
struct OutputClosed {};

// Text goes to stdout; to stderr once a file that the command writes is stdout.
void print_to_stderr();

// Throws Error(kIo), or OutputClosed.
void write_text(std::string_view text);
// To be called at the end: a full disk shows only when the last text leaves.
void finish_text();

template <typename... Args>
void print_text(fmt::format_string<Args...> format, Args&&... args) {
  write_text(fmt::format(format, std::forward<Args>(args)...));
}

// How wide tables may be where text goes; 0: as they like.
size_t text_columns();
inline void print_table(const Table& table) { write_text(table.text(text_columns())); }

// "note: ..." for each, of which the first `most` alone; 0: all.
void print_notes(std::span<const std::string> notes, size_t most = 0);
void print_error(std::string_view message);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_OUTPUT_H_
