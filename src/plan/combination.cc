#include "plan/combination.h"

#include <limits>

#include "base/check.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// How far a grant is from what was asked. Only the order of these numbers matters: raising a precision costs
// efficiency, lowering it costs accuracy, and leaving the integers costs the most.
double distance(QType asked, QType granted) {
  if (asked == granted) return 0;
  if (is_integer(asked) && is_integer(granted)) {
    if (is_16bit(asked) && is_16bit(granted)) return 1;
    if (is_16bit(asked)) return 8;
    return granted == QType::kInt16 ? 4 : 4.5;
  }
  if (is_integer(asked)) return granted == QType::kFloat32 ? 20 : 21;
  if (is_integer(granted)) return is_16bit(granted) ? 30 : 34;
  return granted == QType::kFloat32 ? 1 : 10;  // between the two floats
}

bool lowers(QType asked, QType granted) { return distance(asked, granted) >= 8; }

}  // namespace

Grant nearest_combination(const OperatorRule& rule, std::string_view op_type, std::span<const int> indices,
                          std::span<const QType> asked, size_t keep, const std::vector<bool>& never_integers) {
  Grant best;
  double best_distance = std::numeric_limits<double>::infinity();
  for (const Combination& combination : rule.combinations) {
    std::vector<QType> inputs;
    double total = 0;
    for (size_t i = 0; i < asked.size(); ++i) {
      double nearest = std::numeric_limits<double>::infinity();
      QType choice = asked[i];
      for (const QType qtype : combination.input(i)) {
        if (qtype == QType::kEc && !takes_ec(op_type, indices[i])) continue;
        if (never_integers[i] && is_integer(qtype)) continue;
        const double d = distance(asked[i], qtype) + (i == keep && lowers(asked[i], qtype) ? 0.5 : 0);
        if (d >= nearest) continue;
        nearest = d;
        choice = qtype;
      }
      total += nearest;
      inputs.push_back(choice);
    }
    if (total >= best_distance) continue;
    best_distance = total;
    best = {std::move(inputs), &combination};
  }
  return best;
}

QType nearest_output(std::span<const QType> allowed, QType asked) {
  TWOFOLD_CHECK(!allowed.empty());
  QType best = allowed[0];
  for (const QType qtype : allowed) {
    if (distance(asked, qtype) < distance(asked, best)) best = qtype;
  }
  return best;
}

}  // namespace twofold
