#include "quantize/agreement.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace twofold {

void Agreement::add(std::span<const float> a, std::span<const float> b) {
  TWOFOLD_CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const bool equal = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    equal_ += equal ? 1 : 0;
    if (!equal) largest_ = std::max(largest_, std::fabs(static_cast<double>(a[i]) - b[i]));
  }
  total_ += a.size();
}

double Agreement::equal_share() const {
  return total_ == 0 ? 1.0 : static_cast<double>(equal_) / static_cast<double>(total_);
}

}  // namespace twofold
