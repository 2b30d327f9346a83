// Parallel loops. One thread runtime for everything (OpenMP, which oneDNN uses too), so that the two never fight
// over the cores.
#ifndef TWOFOLD_SRC_BASE_PARALLEL_FOR_H_
#define TWOFOLD_SRC_BASE_PARALLEL_FOR_H_

#include <cstdint>
#include <functional>

namespace twofold {

// Number of threads that loops started from the calling thread use, for the life of the object.
// `threads` = 0 means all cores. Throws Error(kInvalidArgument) if it is negative or more than kMaxThreads
// (base/thread_limit.h).
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int saved_;
};

// Threads that a parallel_for started here may use.
int num_threads();

// Calls body(begin, end) on disjoint ranges that cover [0, n), each of at least `grain` iterations (but the last),
// possibly at the same time; returns when all are done. The first exception thrown by a body is rethrown here.
// Results must not depend on how the range is cut.
void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_PARALLEL_FOR_H_
