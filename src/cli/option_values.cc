#include "cli/option_values.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>

#include "base/thread_limit.h"

namespace twofold {

namespace {

// True if the whole text is a number.
template <typename T>
bool parse(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

CLI::Validator at_least(int64_t least) {
  return {[least](const std::string& text) {
            int64_t value = 0;
            if (parse(text, value) && value >= least) return std::string();
            return fmt::format("it is a whole number from {} on, not '{}'", least, text);
          },
          ""};
}

CLI::Validator thread_count() {
  return {[](const std::string& text) {
            int64_t value = 0;
            if (parse(text, value) && value >= 0 && value <= kMaxThreads) return std::string();
            return fmt::format("it is a whole number from 0 (one per core) to {}, not '{}'", kMaxThreads, text);
          },
          ""};
}

CLI::Validator positive_number() {
  return {[](const std::string& text) {
            double value = 0;
            if (parse(text, value) && std::isfinite(value) && value > 0) return std::string();
            return fmt::format("it is a number above 0, not '{}'", text);
          },
          ""};
}

CLI::Validator memory_size() {
  return {[](std::string& text) {
            const std::string given = text;
            try {
              if (CLI::AsSizeValue(false)(text).empty()) return std::string();
            } catch (const CLI::Error&) {
              // Its own words name every unit that there is.
            }
            return fmt::format("it is a number of bytes, such as 4GB or 512MB, not '{}'", given);
          },
          ""};
}

}  // namespace twofold
