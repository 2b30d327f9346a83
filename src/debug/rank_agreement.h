// Whether two measures order the same things alike.
#ifndef TWOFOLD_SRC_DEBUG_RANK_AGREEMENT_H_
#define TWOFOLD_SRC_DEBUG_RANK_AGREEMENT_H_

#include <optional>
#include <span>

namespace twofold {

// Spearman's rank correlation, from -1 to 1; equal numbers share a rank. Nothing of fewer than two things, or where all
// numbers of a list are equal. REQUIRES: a.size() == b.size(), no NaN.
std::optional<double> rank_agreement(std::span<const double> a, std::span<const double> b);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_RANK_AGREEMENT_H_
