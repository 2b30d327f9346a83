// Processes that fork.
#ifndef TWOFOLD_SRC_BASE_FORKS_H_
#define TWOFOLD_SRC_BASE_FORKS_H_

namespace twofold {

// From the first call on, the OpenMP threads of a thread that forks end before it does, and come back, in both
// processes, with the next loop. A child has only the thread that forked; without that, its first loop would wait for
// ever for the others. To be called before OpenMP threads are started. Thread-safe.
void watch_forks();

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_FORKS_H_
