// Trials with one base, one for each thread that asks.
#ifndef TWOFOLD_SRC_DEBUG_TRIALS_OF_THREADS_H_
#define TWOFOLD_SRC_DEBUG_TRIALS_OF_THREADS_H_

#include <memory>
#include <mutex>
#include <vector>

#include "quantize/trials.h"

namespace twofold {

// Thread-safe.
class TrialsOfThreads {
 public:
  explicit TrialsOfThreads(Trials base) : base_(std::move(base)) {}

  // Calls use(trials) with some that no other thread has.
  template <typename Use>
  void with(const Use& use) {
    std::unique_ptr<Trials> trials = take();
    use(*trials);
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(trials));
  }

 private:
  std::unique_ptr<Trials> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return std::make_unique<Trials>(base_);
    std::unique_ptr<Trials> trials = std::move(idle_.back());
    idle_.pop_back();
    return trials;
  }

  std::mutex mutex_;
  const Trials base_;
  std::vector<std::unique_ptr<Trials>> idle_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_TRIALS_OF_THREADS_H_
