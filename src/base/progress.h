// A progress bar with the time left, for jobs that take longer than two seconds.
#ifndef TWOFOLD_SRC_BASE_PROGRESS_H_
#define TWOFOLD_SRC_BASE_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace twofold {

// One line, `width` columns at most: "calibrate  [#####.....]  50%  12 s left". `seconds` is how long the stage has
// run. REQUIRES: 0 <= done <= total.
std::string progress_line(std::string_view stage, int64_t done, int64_t total, double seconds, int width);

// Draws on stderr, on one line, while the object lives; nothing where stderr is no terminal. Thread-safe.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  // takes the line away
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `done` of `total` steps of a stage. Cheap enough to call after every step: it draws ten times a second at most.
  void update(std::string_view stage, int64_t done, int64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  const bool enabled_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::string stage_;
  Clock::time_point stage_start_, drawn_at_;
  bool drawn_ = false;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_PROGRESS_H_
