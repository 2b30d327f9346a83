// The words of a config that name precisions, with those of other tools.
#ifndef TWOFOLD_SRC_PLAN_PRECISION_WORDS_H_
#define TWOFOLD_SRC_PLAN_PRECISION_WORDS_H_

#include <span>
#include <string_view>

#include "plan/config.h"
#include "plan/config_reader.h"

namespace twofold {

// One of `allowed`; "float" is float32. Throws for any other word; for precisions that exist elsewhere (int4, mxint8,
// nvfp4, ...) it says that. `beside` is a word that the caller takes as well, for the message.
QType read_precision(const ConfigValue& value, std::span<const QType> allowed, std::string_view beside = {});

// The same of an output, where "int32" is the high precision that a device leaves its accumulator in: float32 here.
QType read_output_precision(const ConfigValue& value, std::span<const QType> allowed);

// The qtype of a node whose data inputs all have that precision: int8, int16, float16 or float32.
NodeQType node_qtype(QType type);

// The qtype of a node. "int32" is about its outputs: sets level.outputs, and leaves its inputs to other levels.
void read_node_qtype(const ConfigValue& value, LevelConfig& level);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_PRECISION_WORDS_H_
