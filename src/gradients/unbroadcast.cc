#include "gradients/unbroadcast.h"

namespace twofold {

Term unbroadcast(Term gradient, const Shape& from, const Shape& to) {
  if (from == to) return gradient;
  const size_t missing = from.size() - to.size();
  std::vector<int64_t> axes;
  for (size_t d = 0; d < from.size(); ++d) {
    if (d < missing || (to[d - missing] == 1 && from[d] != 1)) axes.push_back(static_cast<int64_t>(d));
  }
  const Term sum = reduce_sum(gradient, axes);
  return missing == 0 ? sum : reshape(sum, to);
}

}  // namespace twofold
