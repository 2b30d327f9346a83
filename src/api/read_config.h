// The config that a caller of the public API names.
#ifndef TWOFOLD_SRC_API_READ_CONFIG_H_
#define TWOFOLD_SRC_API_READ_CONFIG_H_

#include "plan/config.h"
#include "twofold/config_source.h"

namespace twofold {

// Throws Error as parse_config and load_config do; text is called "config" there.
QuantConfig read_config(const ConfigSource& source);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_READ_CONFIG_H_
