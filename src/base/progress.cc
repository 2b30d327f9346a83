#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/terminal.h"

namespace twofold {

namespace {

constexpr std::chrono::seconds kQuietFor{2};
constexpr std::chrono::milliseconds kBetweenDraws{100};

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

int columns_of_stderr() { return static_cast<int>(terminal_columns(STDERR_FILENO)); }

void write_to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string progress_line(std::string_view stage, int64_t done, int64_t total, double seconds, int width) {
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0.0;
  std::string left;
  if (done > 0) left = fmt::format("  {} left", duration(seconds / fraction - seconds));
  const std::string tail = fmt::format("  {:3.0f}%{}", std::floor(100 * fraction), left);
  const int room = std::clamp(width - static_cast<int>(stage.size() + tail.size()) - 4, 0, 40);
  const auto full = static_cast<size_t>(room * fraction);
  std::string line = fmt::format("{}  [{}{}]{}", stage, std::string(full, '#'),
                                 std::string(static_cast<size_t>(room) - full, '.'), tail);
  if (static_cast<int>(line.size()) > width) line.resize(static_cast<size_t>(std::max(width, 0)));
  return line;
}

ProgressBar::ProgressBar() : ProgressBar(columns_of_stderr, write_to_stderr) {}

ProgressBar::ProgressBar(std::function<int()> columns, std::function<void(std::string_view)> write)
    : columns_(std::move(columns)), write_(std::move(write)) {}

ProgressBar::~ProgressBar() {
  if (drawn_ == 0) return;
  draw("");
  write_("\r");
}

void ProgressBar::update(std::string_view stage, int64_t done, int64_t total) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  }
  if (now - start_ < kQuietFor || (drawn_ > 0 && now - drawn_at_ < kBetweenDraws)) return;
  const int columns = columns_();
  if (columns <= 0) return;
  const std::chrono::duration<double> elapsed = now - stage_start_;
  // One column less than there are, so that the cursor does not wrap.
  draw(progress_line(stage, std::clamp<int64_t>(done, 0, total), total, elapsed.count(), columns - 1));
  drawn_at_ = now;
}

// Blanks cover what the last line leaves; notebooks know no escape sequence for that.
void ProgressBar::draw(std::string line) {
  const size_t length = line.size();
  if (length < drawn_) line.append(drawn_ - length, ' ');
  write_("\r" + line);
  drawn_ = length;
}

}  // namespace twofold
