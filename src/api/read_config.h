// The config that a caller of the public API names, and the target that it chooses.
#ifndef TWOFOLD_SRC_API_READ_CONFIG_H_
#define TWOFOLD_SRC_API_READ_CONFIG_H_

#include <string>

#include "plan/config.h"
#include "twofold/config_source.h"

namespace twofold {

// Throws Error as parse_config and load_config do; text is called "config" there.
QuantConfig read_config(const ConfigSource& source);

// The target that the caller names; else that of the config's march; else cpu.
std::string target_name(const std::string& named, const QuantConfig& config);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_READ_CONFIG_H_
