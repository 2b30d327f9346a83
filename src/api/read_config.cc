#include "api/read_config.h"

namespace twofold {

QuantConfig read_config(const ConfigSource& source) {
  return source.path.empty() ? parse_config(source.text, "config") : load_config(source.path);
}

}  // namespace twofold
