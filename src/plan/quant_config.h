// The part of a config under quant_config.
#ifndef TWOFOLD_SRC_PLAN_QUANT_CONFIG_H_
#define TWOFOLD_SRC_PLAN_QUANT_CONFIG_H_

#include <span>

#include "plan/config.h"
#include "plan/config_reader.h"

namespace twofold {

// model_config, op_config, node_config and subgraph_config, each with the function that reads it.
std::span<const ConfigKey<QuantConfig>> quant_config_keys();

// Reads one of the metrics' names.
Metric read_metric(const ConfigValue& value);

// Reads one of max (or min-max), kl, percentile, mse, or a list of them.
std::vector<RangeMethod> read_methods(const ConfigValue& value);

// The same for the whole model, where it may also be left to a search (default, mix), or to random data (skip, fixed).
// Throws for `load`, which is for a model that is quantized already.
void read_model_methods(const ConfigValue& value, QuantConfig& out);

// Reads the range of max_percentile: a number or a list.
std::vector<double> read_percentiles(const ConfigValue& value);

// Reads a boolean or a list of them.
std::vector<bool> read_booleans(const ConfigValue& value);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_QUANT_CONFIG_H_
