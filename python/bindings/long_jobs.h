// Jobs that take long, as Python sees them: how they are ended, and what they show.
#ifndef TWOFOLD_PYTHON_BINDINGS_LONG_JOBS_H_
#define TWOFOLD_PYTHON_BINDINGS_LONG_JOBS_H_

#include <nanobind/nanobind.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "base/progress.h"
#include "twofold/job.h"

namespace twofold::python {

// Asks Python whether a job should end, at most 20 times a second, since that takes the GIL. `cancelled` is None or
// callable. Python runs the handlers of signals in its main thread alone: Ctrl-C raises KeyboardInterrupt there.
class AskPython {
 public:
  explicit AskPython(nanobind::handle cancelled) : cancelled_(cancelled) {}
  bool operator()();

 private:
  using Clock = std::chrono::steady_clock;

  nanobind::handle cancelled_;
  const bool is_main_thread_ = gettid() == getpid();
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(50);
};

// What a job tells, for a callable of Python or, where that is None, for a bar of `columns` on sys.stderr (0: none). To
// be made and destroyed without the GIL.
class ShowProgress {
 public:
  ShowProgress(nanobind::handle callable, int columns);
  ShowProgress(const ShowProgress&) = delete;
  ShowProgress& operator=(const ShowProgress&) = delete;

  // Empty where nobody listens; for as long as the object lives.
  const Progress& progress() const { return progress_; }

 private:
  std::optional<ProgressBar> bar_;
  Progress progress_;
};

}  // namespace twofold::python

#endif  // TWOFOLD_PYTHON_BINDINGS_LONG_JOBS_H_
