#include "base/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace twofold {

namespace {

constexpr size_t kUsualColumns = 80;

std::string_view from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

size_t terminal_columns(int descriptor) {
  if (::isatty(descriptor) != 1) return 0;
  const std::string_view asked = from_environment("COLUMNS");
  size_t columns = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), columns);
  if (error == std::errc() && end == asked.data() + asked.size() && columns > 0) return columns;
  struct winsize size {};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

bool shows_colours(int descriptor) {
  return ::isatty(descriptor) == 1 && from_environment("NO_COLOR").empty() && from_environment("TERM") != "dumb";
}

std::string in_colour(std::string_view text, Colour colour, bool coloured) {
  if (!coloured) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", colour == Colour::kError ? "1;31" : "33", text);
}

}  // namespace twofold
