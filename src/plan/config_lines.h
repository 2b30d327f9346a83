// Lines for a config file.
#ifndef TWOFOLD_SRC_PLAN_CONFIG_LINES_H_
#define TWOFOLD_SRC_PLAN_CONFIG_LINES_H_

#include <string>
#include <string_view>

#include "plan/config.h"

namespace twofold {

// op_config and node_config of a config, as YAML that can be pasted: a line for every operator and node. Empty where
// there are none.
std::string config_lines(const QuantConfig& config);

// The text of a config file, with such lines added and all others as they are, comments included; JSON stays JSON.
// `label` stands for the file in messages. Throws Error(kInvalidArgument) where the text is none of a config, says
// something of the same itself, or is written so that nothing can be put in.
std::string add_config_lines(std::string_view text, std::string_view label, const QuantConfig& lines);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_CONFIG_LINES_H_
