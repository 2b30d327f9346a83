#include "support/source_dir.h"

namespace twofold {

std::filesystem::path source_dir() { return TWOFOLD_SOURCE_DIR; }

}  // namespace twofold
