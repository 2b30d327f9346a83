// What fuzz targets check.
#ifndef TWOFOLD_TESTS_FUZZ_PROPERTY_H_
#define TWOFOLD_TESTS_FUZZ_PROPERTY_H_

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "twofold/error.h"

namespace twofold {

// Ends the run as a finding, with `subject` below what does not hold of it.
inline void require(bool condition, const char* what, std::string_view subject = "") {
  if (condition) return;
  std::fprintf(stderr, "not so: %s\n%.*s\n", what, static_cast<int>(subject.size()), subject.data());
  std::abort();
}

// What `body` returns, or nothing where it throws twofold::Error.
template <typename Body>
auto result_or_error(const Body& body) -> std::optional<decltype(body())> {
  try {
    return body();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_FUZZ_PROPERTY_H_
