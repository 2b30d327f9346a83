#include "twofold/config_source.h"

#include "base/error.h"

namespace twofold {

DataIs parse_data_is(std::string_view word) {
  if (word.empty()) return DataIs::kByConfig;
  if (word == "normalized") return DataIs::kNormalized;
  if (word == "raw") return DataIs::kRaw;
  if (word == "images") return DataIs::kImages;
  throw_error(
      ErrorCode::kInvalidArgument,
      "the data are said to be '{}'; they may be normalized (what the float model takes) or raw (mean and scale "
      "of the config are applied)",
      word);
}

}  // namespace twofold
