// Feeds arbitrary bytes to everything that reads configs, targets and plans. The first byte chooses the reader; the
// rest is the file. Anything but a twofold::Error or a result is a finding.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plan/config.h"
#include "plan/plan_json.h"
#include "plan/target.h"
#include "twofold/error.h"

namespace {

void read(uint8_t reader, std::string_view text) {
  switch (reader % 3) {
    case 0:
      // A folder that does not exist, so that no path in the text leads anywhere.
      twofold::parse_config(text, "fuzz", "/nonexistent/twofold");
      break;
    case 1: twofold::parse_target(text, "fuzz"); break;
    default: twofold::plan_from_json(text, "fuzz"); break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  try {
    read(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const twofold::Error&) {
  }
  return 0;
}
