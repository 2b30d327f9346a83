#include "base/forks.h"

#include <omp.h>
#include <pthread.h>

namespace twofold {

namespace {

// Does nothing inside a parallel loop; there, loops run in one thread, in a child too.
void end_threads() { omp_pause_resource_all(omp_pause_hard); }

}  // namespace

void watch_forks() { [[maybe_unused]] static const int watching = pthread_atfork(end_threads, nullptr, nullptr); }

}  // namespace twofold
