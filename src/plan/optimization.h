// The word `optimization` of a PTQ file.
#ifndef TWOFOLD_SRC_PLAN_OPTIMIZATION_H_
#define TWOFOLD_SRC_PLAN_OPTIMIZATION_H_

#include "plan/config.h"
#include "plan/config_reader.h"

namespace twofold {

// One or several of, with commas or as a list:
//   set_model_output_<type>      model_config.model_output_type
//   set_all_nodes_int16          model_config.all_node_type
//   set_<Op>_input_<type>        the qtype of an operator's nodes
//   set_<Op>_output_<type>       what all their outputs are
//   asymmetric, bias_correction  the settings of these names
//   run_fast                     random data
// with int8 or int16 for <type>. Throws for any other word.
void read_optimization(const ConfigValue& value, QuantConfig& config);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_OPTIMIZATION_H_
