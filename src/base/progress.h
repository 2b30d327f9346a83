// A progress bar with the time left, for jobs that take longer than two seconds.
#ifndef TWOFOLD_SRC_BASE_PROGRESS_H_
#define TWOFOLD_SRC_BASE_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace twofold {

// One line, `width` columns at most: "calibrate  [#####.....]  50%  12 s left". `seconds` is how long the stage has
// run. REQUIRES: 0 <= done <= total.
std::string progress_line(std::string_view stage, int64_t done, int64_t total, double seconds, int width);

// Draws on one line while the object lives, from its third second on. Thread-safe.
class ProgressBar {
 public:
  // On stderr; nothing where that is no terminal.
  ProgressBar();
  // Wherever `write` shows text, with carriage returns before a line that goes over the last one. `columns` is how wide
  // a line may be now; at 0 nothing is shown.
  ProgressBar(std::function<int()> columns, std::function<void(std::string_view)> write);
  ~ProgressBar();  // takes the line away
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `done` of `total` steps of a stage. Cheap enough to call after every step: it draws ten times a second at most.
  void update(std::string_view stage, int64_t done, int64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  void draw(std::string line);

  const std::function<int()> columns_;
  const std::function<void(std::string_view)> write_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::string stage_;
  Clock::time_point stage_start_, drawn_at_;
  size_t drawn_ = 0;  // characters of the line that is there
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_PROGRESS_H_
