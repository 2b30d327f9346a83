// Where a config comes from, and what it says of data.
#ifndef TWOFOLD_CONFIG_SOURCE_H_
#define TWOFOLD_CONFIG_SOURCE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace twofold {

// What the mean and scale of a PTQ file are to the samples. kNormalized: nothing, the samples are what the float model
// takes; mean and scale are what the device does to its own input. kRaw: what makes the model's input of them.
// kImages: the same, of pixels that the caller has read as input_type_train and input_layout_train have them.
// kByConfig: as the file's `march` has it (docs/config.md), raw where it has none.
enum class DataIs : uint8_t { kByConfig, kNormalized, kRaw, kImages };

// "normalized", "raw" or "images"; empty: kByConfig. Throws Error(kInvalidArgument) for any other word.
DataIs parse_data_is(std::string_view word);

// A file, YAML or JSON (docs/config.md), or where `path` is empty the same as text. Both empty: every default.
struct ConfigSource {
  std::filesystem::path path;
  std::string text;
  DataIs data_is = DataIs::kByConfig;  // the caller's own word
};

}  // namespace twofold

#endif  // TWOFOLD_CONFIG_SOURCE_H_
