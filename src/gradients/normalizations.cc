// Normalizations over some axes: LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization,
// MeanVarianceNormalization, LpNormalization.
//
// With n = (x - mean) * r, r the inverse deviation, and g the gradient of n:
//   dx = r * (g - mean(g) - n * mean(g * n)),
// without mean(g) where no mean is subtracted.
#include <numeric>

#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "ops/arguments.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

struct Normalized {
  Term values, inverse_deviation;
  std::vector<int64_t> axes;
  bool centered;

  Normalized(Term x, std::vector<int64_t> over, float epsilon, bool subtract_mean)
      : axes(std::move(over)), centered(subtract_mean) {
    const Term shifted = centered ? x - reduce_mean(x, axes) : x;
    inverse_deviation = reciprocal(sqrt(reduce_mean(square(shifted), axes) + epsilon));
    values = shifted * inverse_deviation;
  }

  Term gradient(Term g) const {
    const Term rest = centered ? g - reduce_mean(g, axes) : g;
    return inverse_deviation * (rest - values * reduce_mean(g * values, axes));
  }
};

float epsilon(const RuleCall& call) { return call.attributes().get_float("epsilon", 1e-5F); }

std::vector<int64_t> axes_from(int64_t first, int64_t rank) {
  std::vector<int64_t> axes(static_cast<size_t>(rank - first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

// y = n * scale + bias over the last axes.
void normalize_rows(RuleCall& call, bool centered) {
  if (call.has_dy(1) || call.has_dy(2)) call.lacks(0, "the gradients of its mean and deviation are left out");
  const Normalized n(call.x(), axes_from(call.axis("axis", -1), call.rank()), epsilon(call), centered);
  if (call.wants(0)) call.add(0, n.gradient(call.dy() * call.x(1)));
  if (call.wants(1)) call.add_broadcast(1, call.dy() * n.values);
  if (call.wants(2)) call.add_broadcast(2, call.dy());
}

void layer_normalization(RuleCall& call) { normalize_rows(call, /*centered=*/true); }
void rms_normalization(RuleCall& call) { normalize_rows(call, /*centered=*/false); }

// [N,C,spatial...] as [N,groups,rest], each row of which is normalized; scale and bias per channel.
void normalize_groups(RuleCall& call, int64_t groups) {
  const Shape& shape = call.x_shape();
  Shape per_channel(shape.size(), 1);
  per_channel[1] = shape[1];
  const int64_t rows = shape[0] * groups;
  const Shape grouped = {shape[0], groups, rows == 0 ? 0 : num_elements(shape) / rows};
  const Normalized n(reshape(call.x(), grouped), {2}, epsilon(call), /*subtract_mean=*/true);
  const auto per_channel_sum = [&](Term term) {
    return reshape(unbroadcast(term, shape, per_channel), call.x_shape(1));
  };
  if (call.wants(0)) {
    const Term g = call.dy() * reshape(call.x(1), per_channel);
    call.add(0, reshape(n.gradient(reshape(g, grouped)), shape));
  }
  if (call.wants(1)) call.add(1, per_channel_sum(call.dy() * reshape(n.values, shape)));
  if (call.wants(2)) call.add(2, per_channel_sum(call.dy()));
}

void group_normalization(RuleCall& call) { normalize_groups(call, call.attributes().get_int("num_groups")); }
void instance_normalization(RuleCall& call) { normalize_groups(call, call.x_shape()[1]); }

void mean_variance_normalization(RuleCall& call) {
  const std::vector<int64_t> axes = normalize_axes(call.attributes().get_ints("axes", {0, 2, 3}), call.rank());
  // The square of what is added to the deviation.
  call.add(0, Normalized(call.x(), axes, 1e-18F, /*subtract_mean=*/true).gradient(call.dy()));
}

// x / |x|. Where the norm is zero, so is the result: no gradient.
void lp_normalization(RuleCall& call) {
  const std::vector<int64_t> axes = {call.axis("axis", -1)};
  const bool absolute = call.attributes().get_int("p", 2) == 1;
  const Term x = call.x();
  const Term norm = absolute ? reduce_sum(abs(x), axes) : sqrt(reduce_sum(square(x), axes));
  const Term slope = absolute ? sign(x) : call.y();
  const Term g = (call.dy() - slope * reduce_sum(call.dy() * call.y(), axes)) / norm;
  call.add(0, where(equal(norm, 0.0F), 0.0F, g));
}

constexpr RuleDef kRules[] = {
    {op::kGroupNormalization, group_normalization},
    {op::kInstanceNormalization, instance_normalization},
    {op::kLayerNormalization, layer_normalization},
    {op::kLpNormalization, lp_normalization},
    {op::kMeanVarianceNormalization, mean_variance_normalization},
    {op::kRmsNormalization, rms_normalization},
};

}  // namespace

std::span<const RuleDef> normalization_gradients() { return kRules; }

}  // namespace twofold
