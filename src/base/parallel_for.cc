#include "base/parallel_for.h"

#include <omp.h>

#include <algorithm>

#include "base/error.h"
#include "base/forks.h"
#include "base/thread_limit.h"
#include "base/thread_team.h"

namespace twofold {

namespace {

struct Loop {
  int64_t n, chunks;
  const std::function<void(int64_t, int64_t)>& body;
  FirstFailure failure = {};

  void run_chunk(int64_t i) {
    try {
      body(n * i / chunks, n * (i + 1) / chunks);
    } catch (...) {
      failure.keep(i);
    }
  }
};

}  // namespace

ThreadScope::ThreadScope(int threads) : saved_(omp_get_max_threads()) {
  if (threads < 0 || threads > kMaxThreads) {
    throw_error(ErrorCode::kInvalidArgument, "threads is {}; it must be 0 (one per core) to {}", threads, kMaxThreads);
  }
  watch_forks();
  omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs());
}

ThreadScope::~ThreadScope() { omp_set_num_threads(saved_); }

int num_threads() { return omp_in_parallel() ? 1 : omp_get_max_threads(); }

void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t chunks = std::min<int64_t>(num_threads(), (n + grain - 1) / grain);
  if (chunks <= 1) {
    body(0, n);
    return;
  }
  Loop loop{n, chunks, body};
  run_team(static_cast<int>(chunks), [&loop](int i) { loop.run_chunk(i); });
  loop.failure.rethrow();
}

}  // namespace twofold
