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

// A folder's name that no other tensor's has: the tensor's own as far as it can be one. '/', '%', control characters, a
// '.' at the beginning and, where nothing can be told from it, an empty name are written as %XX; of a name that is too
// long for that, the beginning and a hash of it all. To be found again by whoever knows the tensor's name.
std::string folder_name(std::string_view tensor);

// As file_name() for many, no two alike: '_' goes behind a name that is taken.
class FileNames {
 public:
  std::string next(std::string_view name, std::string_view fallback = "unnamed");

 private:
  std::set<std::string> taken_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_FILE_NAMES_H_
