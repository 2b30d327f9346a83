// A config to begin with.
#ifndef TWOFOLD_CONFIG_TEMPLATE_H_
#define TWOFOLD_CONFIG_TEMPLATE_H_

#include <filesystem>
#include <string>

namespace twofold {

// The text of a YAML config for a float model, which names its operators and nodes in comments. quantize() takes it as
// it is, and it changes nothing; lines that begin with '#' and no blank become config without their '#'. Throws Error
// as quantize() does for a model that cannot be quantized.
std::string config_template(const std::filesystem::path& model);

}  // namespace twofold

#endif  // TWOFOLD_CONFIG_TEMPLATE_H_
