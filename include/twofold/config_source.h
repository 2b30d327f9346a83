// Where a config comes from.
#ifndef TWOFOLD_CONFIG_SOURCE_H_
#define TWOFOLD_CONFIG_SOURCE_H_

#include <filesystem>
#include <string>

namespace twofold {

// A file, YAML or JSON (docs/config.md), or where `path` is empty the same as text. Both empty: every default.
struct ConfigSource {
  std::filesystem::path path;
  std::string text;
};

}  // namespace twofold

#endif  // TWOFOLD_CONFIG_SOURCE_H_
