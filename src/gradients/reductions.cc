// Reductions over any axes, and running sums.
#include <algorithm>
#include <numeric>
#include <optional>

#include "gradients/families.h"
#include "ops/arguments.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// A reduction with what it has reduced as dimensions of one.
struct Reduction {
  std::vector<int64_t> axes;
  Shape kept;
  int64_t count = 1;  // elements behind each result

  // Absent, and said so, where the axes are known only at run time.
  static std::optional<Reduction> of(RuleCall& call) {
    const int64_t rank = call.rank();
    Reduction result;
    if (call.has_input(1)) {
      const auto axes = call.ints(1);
      if (!axes) {
        call.lacks(0, "its axes are known only at run time");
        return std::nullopt;
      }
      result.axes = normalize_axes(*axes, rank);
    }
    if (result.axes.empty() && call.attributes().get_int("noop_with_empty_axes", 0) == 0) {
      result.axes.resize(static_cast<size_t>(rank));
      std::iota(result.axes.begin(), result.axes.end(), int64_t{0});
    }
    result.kept = call.x_shape();
    for (const int64_t axis : result.axes) {
      result.count *= std::exchange(result.kept[static_cast<size_t>(axis)], 1);
    }
    return result;
  }

  Term with_ones(Term term) const { return reshape(term, kept); }
};

// `slope` makes of x, y with ones, and dy with ones, the gradient, which is still to be broadcast to the shape of x if
// it does not depend on x.
template <typename Slope>
void reduce(RuleCall& call, const Slope& slope) {
  const auto reduction = Reduction::of(call);
  if (reduction) call.add(0, slope(*reduction, reduction->with_ones(call.dy())));
}

void sum(RuleCall& call) {
  reduce(call, [&](const Reduction&, Term dy) { return expand(dy, call.x_shape()); });
}

void mean(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) {
    return expand(dy / static_cast<float>(reduction.count), call.x_shape());
  });
}

// Elements that are equally large share the gradient, as those of amax and amin do.
void extreme(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) {
    const Term chosen = where(equal(call.x(), reduction.with_ones(call.y())), 1.0F, 0.0F);
    return chosen * (dy / reduce_sum(chosen, reduction.axes));
  });
}

// A zero among the factors leaves the gradient to it, two leave none.
void product(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) {
    const Term x = call.x(), is_zero = equal(x, 0.0F), nonzero = where(is_zero, 1.0F, x);
    const Term zeros = reduce_sum(where(is_zero, 1.0F, 0.0F), reduction.axes);
    const Term rest = reduction.axes.empty()
                          ? nonzero
                          : call.backward().node(op::kReduceProd, {nonzero, call.backward().ints(reduction.axes)});
    const Term others = where(equal(zeros, where(is_zero, 1.0F, 0.0F)), rest / nonzero, 0.0F);
    return others * dy;
  });
}

void l1(RuleCall& call) {
  reduce(call, [&](const Reduction&, Term dy) { return sign(call.x()) * dy; });
}

// 0 where the norm is.
void l2(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) {
    const Term norm = reduction.with_ones(call.y());
    return call.x() * where(equal(norm, 0.0F), 0.0F, dy / norm);
  });
}

void sum_square(RuleCall& call) {
  reduce(call, [&](const Reduction&, Term dy) { return call.x() * (2.0F * dy); });
}

void log_sum(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) {
    return expand(dy / exp(reduction.with_ones(call.y())), call.x_shape());
  });
}

void log_sum_exp(RuleCall& call) {
  reduce(call, [&](const Reduction& reduction, Term dy) { return exp(call.x() - reduction.with_ones(call.y())) * dy; });
}

// What has been added up from one end goes back from the other.
void cum_sum(RuleCall& call) {
  Attributes attributes = call.attributes();
  attributes.set("reverse", int64_t{attributes.get_int("reverse", 0) == 0});
  call.add(0, call.backward().node(op::kCumSum, {call.dy(), call.x(1)}, attributes));
}

constexpr RuleDef kRules[] = {
    {op::kCumSum, cum_sum},
    {op::kReduceL1, l1},
    {op::kReduceL2, l2},
    {op::kReduceLogSum, log_sum},
    {op::kReduceMax, extreme},
    {op::kReduceLogSumExp, log_sum_exp},
    {op::kReduceMean, mean},
    {op::kReduceMin, extreme},
    {op::kReduceProd, product},
    {op::kReduceSum, sum},
    {op::kReduceSumSquare, sum_square},
};

}  // namespace

std::span<const RuleDef> reduction_gradients() { return kRules; }

}  // namespace twofold
