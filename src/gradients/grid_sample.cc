// GridSample and AffineGrid.
//
// A sample is a sum over taps: of the product, over the axes, of one weight per axis, times the element at one index
// per axis. Weights and indices follow from the grid, and are computed here as GridSample does. The gradient of the
// image adds weight * dy at the indices; that of the grid has in the place of an axis' weight its derivative.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

struct Sampling {
  std::string mode, padding;
  bool align_corners;

  explicit Sampling(const Attributes& attributes)
      : mode(attributes.get_string("mode", "linear")),
        padding(attributes.get_string("padding_mode", "zeros")),
        align_corners(attributes.get_int("align_corners", 0) != 0) {}
};

// One tap along one axis, all [N,points]: where it stands, as a float; its weight, 0 outside of the image where that
// is zeros; and the weight's derivative in the grid, undefined where that is zero.
struct Tap {
  Term index, weight, slope;
};

Term clamp(Term x, float low, float high) { return where(x < low, low, where(x > high, high, x)); }

// x mirrored at both ends of [low, high] until it is inside; and what that makes of slopes: 1 or -1.
struct Reflected {
  Term position, slope;
};

Reflected reflect(Term x, float low, float high) {
  const float span = high - low;
  if (!(span > 0)) return {x * 0.0F + low, x * 0.0F};
  const Term distance = abs(x - low), period = distance - floor(distance / (2 * span)) * (2 * span);
  const Term falls = period > span;
  return {low + where(falls, 2 * span - period, period), where(x < low, -1.0F, 1.0F) * where(falls, -1.0F, 1.0F)};
}

// The weights of Keys' cubic convolution with a = -0.75, by distance from the sample, and their derivatives.
constexpr float kCubic = -0.75F;
Term near_weight(Term d) { return ((kCubic + 2.0F) * d - (kCubic + 3.0F)) * d * d + 1.0F; }
Term near_slope(Term d) { return (3.0F * (kCubic + 2.0F) * d - 2.0F * (kCubic + 3.0F)) * d; }
Term far_weight(Term d) { return ((kCubic * d - 5.0F * kCubic) * d + 8.0F * kCubic) * d - 4.0F * kCubic; }
Term far_slope(Term d) { return (3.0F * kCubic * d - 10.0F * kCubic) * d + 8.0F * kCubic; }

// The taps before they know what is outside, around position x. Distances grow with x for the taps to its left.
std::vector<Tap> taps_around(const Sampling& sampling, Term x) {
  BackwardGraph& graph = *x.graph;
  if (sampling.mode == "nearest") return {{graph.node(op::kRound, {x}), graph.scalar(1.0F), {}}};
  const Term left = floor(x), f = x - left;
  if (sampling.mode == "linear" || sampling.mode == "bilinear") {
    return {{left, 1.0F - f, graph.scalar(-1.0F)}, {left + 1.0F, f, graph.scalar(1.0F)}};
  }
  return {{left - 1.0F, far_weight(1.0F + f), far_slope(1.0F + f)},
          {left, near_weight(f), near_slope(f)},
          {left + 1.0F, near_weight(1.0F - f), -near_slope(1.0F - f)},
          {left + 2.0F, far_weight(2.0F - f), -far_slope(2.0F - f)}};
}

// An index outside of [0, size) as the padding has it.
void pad(const Sampling& sampling, float size, Tap& tap) {
  if (sampling.padding == "zeros") {
    const Term inside = both(tap.index >= 0.0F, tap.index <= size - 1.0F);
    tap.weight = where(inside, tap.weight, 0.0F);
    if (tap.slope.defined()) tap.slope = where(inside, tap.slope, 0.0F);
  } else if (sampling.padding == "reflection") {
    const float edge = sampling.align_corners ? 0.0F : -0.5F;
    tap.index = floor(reflect(tap.index, edge, size - 1.0F - edge).position);
  }
  tap.index = clamp(tap.index, 0.0F, size - 1.0F);
}

// `x` is a position in [-1, 1] as the grid has it.
std::vector<Tap> make_taps(const Sampling& sampling, Term x, int64_t elements) {
  const auto size = static_cast<float>(elements);
  const float edge = sampling.align_corners ? 0.0F : -0.5F,
              scale = (sampling.align_corners ? size - 1.0F : size) / 2.0F;
  x = (x + 1.0F) * scale + edge;
  x = clamp(x, -1e6F - 4.0F * size, 1e6F + 4.0F * size);
  if (sampling.mode == "nearest") x = x.graph->node(op::kRound, {x});
  Term slope = x.graph->scalar(scale);
  // Beyond the ends the position stands still, or runs back.
  if (sampling.padding == "border") {
    const Term inside = both(x >= edge, x <= size - 1.0F - edge);
    slope = where(inside, slope, 0.0F);
    x = where(inside, x, clamp(x, 0.0F, size - 1.0F));
  } else if (sampling.padding == "reflection") {
    const Reflected mirrored = reflect(x, edge, size - 1.0F - edge);
    x = mirrored.position;
    slope = slope * mirrored.slope;
  }
  std::vector<Tap> taps = taps_around(sampling, x);
  for (Tap& tap : taps) {
    if (tap.slope.defined()) tap.slope = tap.slope * slope;
    pad(sampling, size, tap);
  }
  return taps;
}

class GridSampleGradient {
 public:
  explicit GridSampleGradient(RuleCall& call)
      : call_(call),
        x_shape_(call.x_shape()),
        axes_(x_shape_.size() - 2),
        batch_(x_shape_[0]),
        channels_(x_shape_[1]),
        points_(num_elements(call.x_shape(1)) / (batch_ * static_cast<int64_t>(axes_))),
        size_(num_elements({x_shape_.begin() + 2, x_shape_.end()})),
        dy_(reshape(call.dy(), {batch_, channels_, points_})) {
    BackwardGraph& graph = call.backward();
    const Term grid = reshape(call.x(1), {batch_, points_, static_cast<int64_t>(axes_)});
    for (size_t d = 0; d < axes_; ++d) {
      // The grid names the innermost axis first.
      const Term at =
          graph.node(op::kGather, {grid, graph.constant(Tensor::scalar(static_cast<int64_t>(axes_ - 1 - d)))},
                     {{"axis", int64_t{2}}});
      taps_.push_back(make_taps(Sampling(call.attributes()), at, x_shape_[d + 2]));
    }
    slopes_.resize(axes_);
  }

  void run() {
    if (call_.wants(0)) image_ = call_.backward().zeros({batch_, channels_, size_});
    walk({});
    if (call_.wants(0)) call_.add(0, reshape(image_, x_shape_));
    if (call_.wants(1)) call_.add(1, grid_gradient());
  }

 private:
  // Over all choices of one tap per axis.
  void walk(std::vector<Tap> chosen) {
    if (chosen.size() == axes_) return add(chosen);
    for (const Tap& tap : taps_[chosen.size()]) {
      chosen.push_back(tap);
      walk(chosen);
      chosen.pop_back();
    }
  }

  void add(const std::vector<Tap>& taps) {
    BackwardGraph& graph = call_.backward();
    Term position = to_type(taps[0].index, DType::kInt64), weight = taps[0].weight;
    for (size_t d = 1; d < axes_; ++d) {
      const Term stride = graph.constant(Tensor::scalar(x_shape_[d + 2]));
      position = position * stride + to_type(taps[d].index, DType::kInt64);
      weight = weight * taps[d].weight;
    }
    const Term index = expand(reshape(position, {batch_, 1, points_}), {batch_, channels_, points_});
    if (call_.wants(0)) {
      const Term update = dy_ * row(weight);
      image_ = graph.node(op::kScatterElements, {image_, index, update},
                          {{"axis", int64_t{2}}, {"reduction", std::string("add")}});
    }
    if (!call_.wants(1)) return;
    const Term image = reshape(call_.x(0), {batch_, channels_, size_});
    const Term element = graph.node(op::kGatherElements, {image, index}, {{"axis", int64_t{2}}});
    const Term along = reshape(reduce_sum(dy_ * element, {1}), {batch_, points_});
    for (size_t d = 0; d < axes_; ++d) add_slope(taps, d, along);
  }

  void add_slope(const std::vector<Tap>& taps, size_t axis, Term along) {
    if (!taps[axis].slope.defined()) return;
    Term term = along * taps[axis].slope;
    for (size_t d = 0; d < axes_; ++d) {
      if (d != axis) term = term * taps[d].weight;
    }
    slopes_[axis] = slopes_[axis].defined() ? slopes_[axis] + term : term;
  }

  // A weight may be one number for all points.
  Term row(Term weight) const { return reshape(expand(weight, {batch_, points_}), {batch_, 1, points_}); }

  Term grid_gradient() {
    BackwardGraph& graph = call_.backward();
    std::vector<Term> parts;
    for (size_t d = axes_; d-- > 0;) {
      const Term slope = slopes_[d].defined() ? slopes_[d] : graph.zeros({batch_, points_});
      parts.push_back(reshape(slope, {batch_, points_, 1}));
    }
    return reshape(graph.node(op::kConcat, parts, {{"axis", int64_t{2}}}), call_.x_shape(1));
  }

  RuleCall& call_;
  const Shape x_shape_;
  const size_t axes_;
  const int64_t batch_, channels_, points_, size_;
  const Term dy_;
  std::vector<std::vector<Tap>> taps_;
  std::vector<Term> slopes_;  // of the grid, by axis
  Term image_;
};

void grid_sample(RuleCall& call) { GridSampleGradient(call).run(); }

// Each point is theta times [position, 1], and the positions are the grid of the identity.
void affine_grid(RuleCall& call) {
  if (!call.wants(0)) return;
  BackwardGraph& graph = call.backward();
  const Shape &theta = call.x_shape(), &grid = call.y_shape();
  const int64_t batch = theta[0], axes = theta[1], points = num_elements(grid) / (batch * axes);
  Tensor identity(DType::kFloat32, theta);
  const std::span<float> elements = identity.mutable_data<float>();
  for (int64_t i = 0; i < identity.size(); ++i) {
    const int64_t at = i % (axes * (axes + 1));
    elements[static_cast<size_t>(i)] = at / (axes + 1) == at % (axes + 1) ? 1.0F : 0.0F;
  }
  const Term places = graph.node(op::kAffineGrid, {graph.constant(identity), call.x(1)}, call.attributes());
  const Term ones = expand(graph.scalar(1.0F), {batch, points, 1});
  const Term rows = graph.node(op::kConcat, {reshape(places, {batch, points, axes}), ones}, {{"axis", int64_t{2}}});
  call.add(0, matmul(transpose(reshape(call.dy(), {batch, points, axes}), {0, 2, 1}), rows));
}

constexpr RuleDef kRules[] = {
    {op::kAffineGrid, affine_grid},
    {op::kGridSample, grid_sample},
};

}  // namespace

std::span<const RuleDef> grid_sample_gradients() { return kRules; }

}  // namespace twofold
