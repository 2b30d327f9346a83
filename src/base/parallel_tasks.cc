#include "base/parallel_tasks.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/cancellation.h"
#include "base/parallel_for.h"
#include "base/thread_team.h"

namespace twofold {

namespace {

using Task = std::function<void(int64_t)>;

// How often a thread that waits for others asks whether the job is cancelled.
constexpr std::chrono::milliseconds kBetweenQuestions{10};

class Queue {
 public:
  Queue(int64_t n, const Task& task, const Task& before) : n_(n), task_(task), before_(before) {}

  // What each thread does.
  void work(bool is_caller) {
    enter();
    int64_t i = n_;
    try {
      while (take(i)) {
        prepare(i);
        task_(i);
      }
    } catch (...) {
      failure_.keep(i);
      stop();
    }
    leave();
    if (is_caller && current_cancellation() != nullptr) wait_for_others();
  }

  void rethrow() const { failure_.rethrow(); }

 private:
  void enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++working_;
  }

  // The next number in `i`; false where there is none.
  bool take(int64_t& i) {
    i = n_;
    throw_if_cancelled();
    std::unique_lock<std::mutex> lock(mutex_);
    wait(lock, [this] { return !is_preparing_; });
    if (stopped_ || next_ == n_) return false;
    i = next_++;
    is_preparing_ = before_ != nullptr;
    return true;
  }

  void prepare(int64_t i) {
    if (!before_) return;
    const auto done = [this] {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_preparing_ = false;
      changed_.notify_all();
    };
    try {
      before_(i);
    } catch (...) {
      done();
      throw;
    }
    done();
  }

  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }

  void leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --working_;
    changed_.notify_all();
  }

  // Threads that have not entered yet find nothing left.
  void wait_for_others() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      try {
        wait(lock, [this] { return working_ == 0; });
        return;
      } catch (...) {
        failure_.keep(n_);
      }
    }
  }

  // Throws if the job is cancelled meanwhile.
  template <typename Ready>
  void wait(std::unique_lock<std::mutex>& lock, const Ready& ready) {
    while (!changed_.wait_for(lock, kBetweenQuestions, ready)) {
      lock.unlock();
      throw_if_cancelled();
      lock.lock();
    }
  }

  const int64_t n_;
  const Task& task_;
  const Task& before_;
  FirstFailure failure_;

  std::mutex mutex_;  // of everything below
  std::condition_variable changed_;
  int64_t next_ = 0;
  int working_ = 0;
  bool is_preparing_ = false, stopped_ = false;
};

}  // namespace

void parallel_tasks(int64_t n, const Task& task, const Task& before) {
  const auto threads = static_cast<int>(std::min<int64_t>(num_threads(), n));
  if (threads > 1) {
    Queue queue(n, task, before);
    run_team(threads, [&queue](int member) { queue.work(member == 0); });
    queue.rethrow();
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    throw_if_cancelled();
    if (before) before(i);
    task(i);
  }
}

}  // namespace twofold
