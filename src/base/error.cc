#include "base/error.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/printable.h"

namespace twofold {

namespace {

// Longer ones are names of megabytes, not what anybody reads.
constexpr size_t kLongestMessage = 2000;

}  // namespace

Error::Error(ErrorCode code, const std::string& message)
    : std::runtime_error(printable(message, kLongestMessage)), code_(code) {}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace twofold
