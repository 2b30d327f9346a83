// What the `march` of a PTQ file decides: Twofold compiles for no device.
#ifndef TWOFOLD_SRC_PLAN_MARCH_H_
#define TWOFOLD_SRC_PLAN_MARCH_H_

#include <string>
#include <string_view>

#include "plan/config_reader.h"
#include "twofold/config_source.h"

namespace twofold {

// "nash-e", in any case and with '_' for '-'; empty for nothing. Throws for a word that is no march.
std::string read_march(const ConfigValue& value);

// Of Journey 6 (nash) the target that takes two 16-bit inputs; of what came before it, for which there is none, the
// strictest one, so that no plan is granted that it could not run.
std::string_view target_of_march(std::string_view march);

// The tools of Journey 6 put mean and scale into the device's model, and calibrate on what the float model takes; those
// of the devices before it calibrate on raw data.
DataIs data_of_march(std::string_view march);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_MARCH_H_
