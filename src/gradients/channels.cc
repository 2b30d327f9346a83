// Normalization per channel or across channels: BatchNormalization as it is in inference, LRN.
#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "gradients/windows.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// y = (x - mean) * scale / sqrt(variance + epsilon) + bias
void batch_normalization(RuleCall& call) {
  if (call.attributes().get_int("training_mode", 0) != 0) {
    for (int i = 0; i < call.num_inputs(); ++i) call.lacks(i, "no rule for training_mode");
    return;
  }
  const Shape& shape = call.x_shape();
  Shape per_channel(shape.size(), 1);
  if (shape.size() > 1) per_channel[1] = shape[1];
  const auto channels = [&](int i) { return reshape(call.x(i), per_channel); };
  const auto add_sum = [&](int i, Term term) {
    call.add(i, reshape(unbroadcast(term, shape, per_channel), call.x_shape(i)));
  };
  const Term inverse = reciprocal(sqrt(channels(4) + call.attributes().get_float("epsilon", 1e-5F)));
  const Term dx = call.dy() * (channels(1) * inverse);
  call.add(0, dx);
  if (call.wants(1)) add_sum(1, call.dy() * (call.x() - channels(3)) * inverse);
  if (call.wants(2)) add_sum(2, call.dy());
  if (call.wants(3)) add_sum(3, -dx);
  call.lacks(4, "no rule for a variance that is computed");
}

// y = x * b^-beta with b = bias + alpha / size * (sum of squares of the channels around). The sums are a convolution
// along the channels; dx = dy * b^-beta - 2 alpha / size beta * x * (the same sums of dy * x * b^(-beta - 1),
// mirrored).
void lrn(RuleCall& call) {
  const int64_t size = call.attributes().get_int("size"), before = (size - 1) / 2;
  const Shape& shape = call.x_shape();
  const int64_t spatial = num_elements({shape.begin() + 2, shape.end()});
  const std::vector<WindowAxis> axes = {
      {.input = shape[1], .output = shape[1], .kernel = size, .pad_begin = before, .pad_end = size - 1 - before},
      {.input = spatial, .output = spatial}};
  BackwardGraph& backward = call.backward();
  const Shape kernel = {1, 1, size, 1};
  const Term ones = backward.constant(filled(kernel, 1.0F));
  const Shape image = {shape[0], 1, shape[1], spatial};
  const float alpha = call.attributes().get_float("alpha", 1e-4F) / static_cast<float>(size);
  const float beta = call.attributes().get_float("beta", 0.75F);
  const Term x = reshape(call.x(), image), dy = reshape(call.dy(), image);
  const Term sums = slide(square(x), ones, axes, 1) * alpha + call.attributes().get_float("bias", 1.0F);
  const Term from_sums = slide_back(dy * x * pow(sums, -beta - 1.0F), ones, kernel, axes, 1);
  call.add(0, reshape(dy * pow(sums, -beta) - x * from_sums * (2.0F * alpha * beta), shape));
}

constexpr RuleDef kRules[] = {
    {op::kBatchNormalization, batch_normalization},
    {op::kLrn, lrn},
};

}  // namespace

std::span<const RuleDef> channel_gradients() { return kRules; }

}  // namespace twofold
