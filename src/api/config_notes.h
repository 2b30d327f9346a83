// What a user should know of how a config was read.
#ifndef TWOFOLD_SRC_API_CONFIG_NOTES_H_
#define TWOFOLD_SRC_API_CONFIG_NOTES_H_

#include <string>
#include <vector>

#include "plan/config.h"

namespace twofold {

// Whether mean and scale were applied to the data, and why; none where the config has neither.
std::vector<std::string> preprocessing_notes(const QuantConfig& config);

// Sentences: the target that its march has chosen, where the caller has named none (`target`); those above; what is
// done in another way than it says; and its keys that change nothing here.
std::vector<std::string> config_notes(const QuantConfig& config, const std::string& target);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_CONFIG_NOTES_H_
