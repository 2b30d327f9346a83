// "Did you mean": the known names closest to one that was not found.
#ifndef TWOFOLD_SRC_BASE_NEAREST_NAMES_H_
#define TWOFOLD_SRC_BASE_NEAREST_NAMES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// Number of single-character insertions, deletions and replacements that turn `a` into `b`, ignoring ASCII case.
size_t edit_distance(std::string_view a, std::string_view b);

// The `count` names nearest to `name`, nearest first, in the given order where equally near: first those that begin as
// it does up to the end of the shorter one, then by edit distance.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> known, size_t count);

// "'a', 'b', 'c'".
std::string quoted_list(std::span<const std::string> names);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_NEAREST_NAMES_H_
