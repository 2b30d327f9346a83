#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/printable.h"
#include "base/terminal.h"

namespace twofold {

namespace {

constexpr size_t kLongestLine = 2000;  // bytes

std::FILE* stream = stdout;

[[noreturn]] void fail(int error) {
  if (error == EPIPE) throw OutputClosed();
  throw_error(ErrorCode::kIo, "cannot write to {}: {}", stream == stdout ? "stdout" : "stderr", std::strerror(error));
}

}  // namespace

void print_to_stderr() { stream = stderr; }

void write_text(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size()) fail(errno);
}

void finish_text() {
  for (std::FILE* each : {stdout, stream}) {
    if (std::fflush(each) != 0) fail(errno);
  }
}

size_t text_columns() { return terminal_columns(::fileno(stream)); }

void print_notes(std::span<const std::string> notes, size_t most) {
  const size_t shown = most == 0 ? notes.size() : std::min(most, notes.size());
  const std::string word = in_colour("note:", Colour::kNote, shows_colours(::fileno(stream)));
  for (const std::string& note : notes.first(shown)) print_text("{} {}\n", word, printable(note, kLongestLine));
  if (shown < notes.size()) print_text("... and {} more notes; --table shows all\n", notes.size() - shown);
}

void print_error(std::string_view message) {
  const std::string word = in_colour("error:", Colour::kError, shows_colours(STDERR_FILENO));
  std::fprintf(stderr, "%s %s\n", word.c_str(), printable(message, kLongestLine).c_str());
}

}  // namespace twofold
