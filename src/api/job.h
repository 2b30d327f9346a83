// A job of the public API while it runs: what it tells its caller, and how the caller ends it.
#ifndef TWOFOLD_SRC_API_JOB_H_
#define TWOFOLD_SRC_API_JOB_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/cancellation.h"
#include "twofold/job.h"

namespace twofold {

// Lives as long as the job, in the thread that was called; only there the two functions are called. What other threads
// tell is handed on when that thread next asks whether it goes on.
class Job {
 public:
  // The functions, which may be empty, must outlive the object.
  Job(const Cancelled& cancelled, const Progress& progress);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // For any thread of the job, but no two at once; empty where nobody listens.
  Progress progress();

 private:
  struct News {
    std::string stage;
    int64_t done, total;
  };

  void tell(News news);
  bool ask();

  const Cancelled& cancelled_;
  const Progress& progress_;
  const std::thread::id caller_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::optional<News> untold_;
  std::function<bool()> ask_;
  CancellationScope scope_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_JOB_H_
