// Threads that work on one thing, under parallel_for and parallel_tasks.
#ifndef TWOFOLD_SRC_BASE_THREAD_TEAM_H_
#define TWOFOLD_SRC_BASE_THREAD_TEAM_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

namespace twofold {

// Calls work(0), ..., work(threads - 1), the first in the calling thread and the others, as a rule, in one each;
// returns when all are done. The job that the calling thread may cancel is theirs too. `work` must not throw.
void run_team(int threads, const std::function<void(int)>& work);

// Of the exceptions that the members of a team meet, the one with the lowest number. Thread-safe.
class FirstFailure {
 public:
  // Keeps what was caught. REQUIRES: called while it is handled.
  void keep(int64_t number);
  // REQUIRES: the team is done.
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  int64_t number_ = 0;
  std::exception_ptr exception_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_THREAD_TEAM_H_
