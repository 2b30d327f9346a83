// What a user should know of how a config was read.
#ifndef TWOFOLD_SRC_API_CONFIG_NOTES_H_
#define TWOFOLD_SRC_API_CONFIG_NOTES_H_

#include <string>
#include <vector>

#include "plan/config.h"

namespace twofold {

// Sentences: the target that its march has chosen, where the caller has named none (`target`); whether mean and scale
// were applied, and why; what is done in another way than it says; and its keys that change nothing here.
std::vector<std::string> config_notes(const QuantConfig& config, const std::string& target);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_CONFIG_NOTES_H_
