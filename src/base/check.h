// TWOFOLD_CHECK: programmer errors. What a user can cause throws twofold::Error instead.
#ifndef TWOFOLD_SRC_BASE_CHECK_H_
#define TWOFOLD_SRC_BASE_CHECK_H_

namespace twofold {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace twofold

// Aborts with file and line if `condition` is false; on in every build.
#define TWOFOLD_CHECK(condition)                                               \
  do {                                                                         \
    if (!(condition)) ::twofold::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

#endif  // TWOFOLD_SRC_BASE_CHECK_H_
