#include "base/parallel_for.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "base/forks.h"

namespace twofold {

ThreadScope::ThreadScope(int threads) : saved_(omp_get_max_threads()) {
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
  watch_forks();
  std::exception_ptr failure;
  std::mutex mutex;
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(chunks))
  for (int64_t i = 0; i < chunks; ++i) {
    try {
      body(n * i / chunks, n * (i + 1) / chunks);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace twofold
