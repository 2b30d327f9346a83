// How many threads may be asked for: more than any machine has cores, and no more than systems let a program have.
#ifndef TWOFOLD_SRC_BASE_THREAD_LIMIT_H_
#define TWOFOLD_SRC_BASE_THREAD_LIMIT_H_

namespace twofold {

inline constexpr int kMaxThreads = 1024;

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_THREAD_LIMIT_H_
