#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

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

int terminal_width() {
  struct winsize size {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
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

ProgressBar::ProgressBar() : enabled_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::update(std::string_view stage, int64_t done, int64_t total) {
  if (!enabled_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  }
  if (now - start_ < kQuietFor || (drawn_ && now - drawn_at_ < kBetweenDraws)) return;
  const std::chrono::duration<double> elapsed = now - stage_start_;
  // One column less than there are, so that the cursor does not wrap.
  const std::string line =
      progress_line(stage, std::clamp<int64_t>(done, 0, total), total, elapsed.count(), terminal_width() - 1);
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  drawn_ = true;
  drawn_at_ = now;
}

}  // namespace twofold
