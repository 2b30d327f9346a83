#include "plan/march.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace twofold {

namespace {

constexpr std::string_view kMarches[] = {"bernoulli", "bernoulli2", "bayes",  "bayes-e", "meta",   "nash",
                                         "nash-e",    "nash-m",     "nash-p", "nash-b",  "nash-h", "nash-starry-p"};

bool is_journey6(std::string_view march) { return march.starts_with("nash"); }

}  // namespace

std::string read_march(const ConfigValue& value) {
  if (value.is_null()) return "";
  std::string march = value.text();
  std::ranges::transform(march, march.begin(), [](unsigned char c) { return c == '_' ? '-' : std::tolower(c); });
  if (march.empty() || std::ranges::find(kMarches, march) != std::end(kMarches)) return march;
  value.fail(fmt::format("'{}' is no march that is known, and whether data are normalized hangs on it; there are {}",
                         value.text(), fmt::join(kMarches, ", ")));
}

std::string_view target_of_march(std::string_view march) {
  return is_journey6(march) ? "journey6-oe3.2" : "journey6-oe3.1";
}

DataIs data_of_march(std::string_view march) { return is_journey6(march) ? DataIs::kNormalized : DataIs::kRaw; }

}  // namespace twofold
