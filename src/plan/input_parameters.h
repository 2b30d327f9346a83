// The input_parameters section of a PTQ file: what the model's inputs are, and how raw data becomes them.
#ifndef TWOFOLD_SRC_PLAN_INPUT_PARAMETERS_H_
#define TWOFOLD_SRC_PLAN_INPUT_PARAMETERS_H_

#include <string>
#include <vector>

#include "plan/config.h"
#include "plan/config_reader.h"

namespace twofold {

using InputParameters = std::vector<InputConfig>;

// Several inputs are separated by ';' or written as a list; numbers of one input by spaces or commas, or as a list.
// Appends the keys that only a device's compiler uses to `unused_keys`.
InputParameters read_input_parameters(const ConfigValue& value, std::vector<std::string>& unused_keys);

// One text per input: the items of a list, or what stands between ';'. Empty ones at the end are dropped.
std::vector<std::string> read_separated(const ConfigValue& value);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_INPUT_PARAMETERS_H_
