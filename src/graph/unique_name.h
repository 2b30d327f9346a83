// Finding a name that is free.
#ifndef TWOFOLD_SRC_GRAPH_UNIQUE_NAME_H_
#define TWOFOLD_SRC_GRAPH_UNIQUE_NAME_H_

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace twofold {

// The base, or the base with a number behind it that is free while the one before is taken: the first such number,
// where those that are taken have no gaps. Asks is_taken(name) a number of times that grows with the logarithm of how
// many are taken, so that thousands of names of one base take no longer each than a few.
template <typename IsTaken>
std::string unique_name(std::string_view base, const IsTaken& is_taken) {
  const auto name = [base](int64_t i) { return i == 0 ? std::string(base) : fmt::format("{}_{}", base, i); };
  if (!is_taken(base)) return name(0);
  int64_t taken = 0, free = 1;
  while (is_taken(name(free))) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const int64_t middle = taken + (free - taken) / 2;
    (is_taken(name(middle)) ? taken : free) = middle;
  }
  return name(free);
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRAPH_UNIQUE_NAME_H_
