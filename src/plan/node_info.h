// What a PTQ file says of single nodes outside of its quant_config: node_info and run_on_cpu.
#ifndef TWOFOLD_SRC_PLAN_NODE_INFO_H_
#define TWOFOLD_SRC_PLAN_NODE_INFO_H_

#include "plan/config.h"
#include "plan/config_reader.h"

namespace twofold {

// "Conv_0:int16;Conv_1:int16", or a map from nodes to {ON, InputType, OutputType, InputType0, OutputType0, ...}, into
// config.node_info. `ON: CPU` is float32. Where nothing but `ON: BPU` is said, the key is one that is not used here.
void read_node_info(const ConfigValue& value, QuantConfig& config);

// "Conv_0;Conv_1", or a list: nodes that stay float32.
void read_run_on_cpu(const ConfigValue& value, QuantConfig& config);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_NODE_INFO_H_
