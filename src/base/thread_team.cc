#include "base/thread_team.h"

#include <atomic>

#include "base/cancellation.h"
#include "base/forks.h"

namespace twofold {

namespace {

struct Team {
  const std::function<void(int)>& work;
  Cancellation* job;
  std::atomic<int> begun = 0, done = 0;

  void member(int i) {
    begun.load(std::memory_order_acquire);
    {
      const InheritedCancellation inherited(job);
      work(i);
    }
    done.fetch_add(1, std::memory_order_acq_rel);
  }
};

// OpenMP's runtime makes its members wait for each other in ways that ThreadSanitizer does not see. So it looks away
// from this function, and the two counters of the team say the same in a way that it understands.
__attribute__((no_sanitize("thread"))) void run_members(Team* team, int threads) {
#pragma omp parallel for schedule(static, 1) num_threads(threads)
  for (int i = 0; i < threads; ++i) team->member(i);
}

}  // namespace

void run_team(int threads, const std::function<void(int)>& work) {
  watch_forks();
  Team team{work, current_cancellation()};
  team.begun.store(1, std::memory_order_release);
  run_members(&team, threads);
  team.done.load(std::memory_order_acquire);
}

void FirstFailure::keep(int64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (exception_ && number_ <= number) return;
  number_ = number;
  exception_ = std::current_exception();
}

}  // namespace twofold
