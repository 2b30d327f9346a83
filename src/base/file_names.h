// Names of tensors and nodes as names of files.
#ifndef TWOFOLD_SRC_BASE_FILE_NAMES_H_
#define TWOFOLD_SRC_BASE_FILE_NAMES_H_

#include <set>
#include <string>
#include <string_view>

namespace twofold {

// Letters, digits, '-' and '.' as they are, '_' for all else; at most 200 bytes, not hidden, and not empty: then
// `fallback`.
std::string file_name(std::string_view name, std::string_view fallback = "unnamed");

// The same for many, no two alike: '_' goes behind a name that is taken.
class FileNames {
 public:
  std::string next(std::string_view name, std::string_view fallback = "unnamed");

 private:
  std::set<std::string> taken_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_FILE_NAMES_H_
