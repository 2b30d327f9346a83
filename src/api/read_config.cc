#include "api/read_config.h"

#include "plan/march.h"

namespace twofold {

QuantConfig read_config(const ConfigSource& source) {
  QuantConfig config = source.path.empty() ? parse_config(source.text, "config") : load_config(source.path);
  config.data_is = source.data_is;
  return config;
}

std::string target_name(const std::string& named, const QuantConfig& config) {
  if (!named.empty()) return named;
  return config.march.empty() ? "cpu" : std::string(target_of_march(config.march));
}

}  // namespace twofold
