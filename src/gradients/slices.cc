// Slice and Pad.
#include <algorithm>
#include <numeric>

#include "gradients/families.h"
#include "gradients/scatter_back.h"
#include "ops/arguments.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// The gradient with zeros before and behind, per axis; negative numbers cut.
Term padded(RuleCall& call, const std::vector<int64_t>& begin, const std::vector<int64_t>& end) {
  std::vector<int64_t> pads = begin;
  pads.insert(pads.end(), end.begin(), end.end());
  return call.backward().node(op::kPad, {call.dy(), call.backward().ints(pads)});
}

// Those of `axes`, or of the first axes in order where that input is omitted; absent if known only at run time.
std::optional<std::vector<int64_t>> axes_of(const RuleCall& call, int input, size_t count) {
  if (call.has_input(input)) {
    auto axes = call.ints(input);
    if (axes) axes = normalize_axes(*axes, call.rank());
    return axes;
  }
  std::vector<int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  return axes;
}

// With steps of one, what was cut off comes back as zeros.
void slice(RuleCall& call) {
  const auto starts = call.ints(1), steps = call.ints(4);
  const bool by_one =
      !call.has_input(4) || (steps && std::ranges::all_of(*steps, [](int64_t step) { return step == 1; }));
  const auto axes = starts ? axes_of(call, 3, starts->size()) : std::nullopt;
  if (!by_one || !axes) return lead_back_by_position(call);
  const Shape &x = call.x_shape(), &y = call.y_shape();
  std::vector<int64_t> begin(x.size(), 0), end(x.size(), 0);
  for (size_t i = 0; i < axes->size(); ++i) {
    const auto d = static_cast<size_t>((*axes)[i]);
    const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + x[d] : (*starts)[i];
    begin[d] = std::clamp<int64_t>(start, 0, x[d]);
    end[d] = x[d] - begin[d] - y[d];
  }
  call.add(0, padded(call, begin, end));
}

void pad_constant(RuleCall& call, const std::vector<int64_t>& pads, const std::vector<int64_t>& axes) {
  std::vector<int64_t> begin(call.x_shape().size(), 0), end = begin;
  for (size_t i = 0; i < axes.size(); ++i) {
    begin[static_cast<size_t>(axes[i])] = -pads[i];
    end[static_cast<size_t>(axes[i])] = -pads[i + axes.size()];
  }
  call.add(0, padded(call, begin, end));
}

void pad(RuleCall& call) {
  BackwardGraph& backward = call.backward();
  const bool constant = call.attributes().get_string("mode", "constant") == "constant";
  const auto pads = call.ints(1);
  const auto axes = pads ? axes_of(call, 3, pads->size() / 2) : std::nullopt;
  call.lacks(2, "no rule for a fill value that is computed");
  if (!call.wants(0)) return;
  if (constant && axes) return pad_constant(call, *pads, *axes);
  if (!constant) return lead_back_by_position(call);
  // What is filled in comes from no place.
  std::vector<Term> inputs = {positions(backward, call.x_shape()), call.x(1),
                              backward.constant(Tensor::scalar<int64_t>(-1))};
  if (call.has_input(3)) inputs.push_back(call.x(3));
  const Term moved = backward.node(op::kPad, inputs, call.attributes());
  call.add(0, scatter_back(backward, moved, call.dy(), call.x_shape(), /*spare=*/true));
}

constexpr RuleDef kRules[] = {
    {op::kPad, pad},
    {op::kSlice, slice},
};

}  // namespace

std::span<const RuleDef> slice_gradients() { return kRules; }

}  // namespace twofold
