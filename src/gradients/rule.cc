#include "gradients/rule.h"

#include <unordered_map>

#include "base/error.h"
#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "ops/arguments.h"

namespace twofold {

namespace {

std::vector<std::span<const RuleDef>> families() {
  return {activation_gradients(),    function_gradients(), elementwise_gradients(), softmax_gradients(),
          normalization_gradients(), channel_gradients(),  reduction_gradients(),   conv_gradients(),
          matmul_gradients(),        einsum_gradients(),   pool_gradients(),        resize_gradients(),
          grid_sample_gradients(),   movement_gradients(), slice_gradients(),       indexed_moves_gradients(),
          scatter_gradients(),       constant_gradients()};
}

}  // namespace

Term RuleCall::dy(int i) {
  if (has_dy(i)) return dy_[static_cast<size_t>(i)];
  return backward_.zeros(y_shape(i));
}

std::vector<Term> RuleCall::inputs_after(Term first) {
  std::vector<Term> inputs = {first};
  for (int i = 1; i < num_inputs(); ++i) inputs.push_back(has_input(i) ? x(i) : Term());
  return inputs;
}

const Shape& RuleCall::x_shape(int i) const {
  if (!has_input(i)) throw_error(ErrorCode::kInvalidModel, "input {} is missing", i);
  return backward_.shape(node_.input(i));
}

int64_t RuleCall::axis(std::string_view name, int64_t fallback) const {
  return normalize_axis(attributes().get_int(name, fallback), rank());
}

std::optional<std::vector<int64_t>> RuleCall::ints(int i) const {
  const Tensor* constant = backward_.forward().constant(node_.input(i));
  if (constant == nullptr) return std::nullopt;
  return read_ints(*constant, "an input");
}

void RuleCall::add(int i, Term gradient) {
  if (!wants(i)) return;
  Term& sum = dx_[static_cast<size_t>(i)];
  sum = sum.defined() ? sum + gradient : gradient;
}

void RuleCall::add_broadcast(int i, Term gradient) {
  if (wants(i)) add(i, unbroadcast(gradient, y_shape(), x_shape(i)));
}

void RuleCall::lacks(int i, std::string why) {
  if (!wants(i)) return;
  lacking_.push_back(i);
  why_ = std::move(why);
}

const RuleDef* find_rule(const Node& node) {
  static const auto table = [] {
    std::unordered_map<std::string_view, const RuleDef*> built;
    for (const std::span<const RuleDef> family : families()) {
      for (const RuleDef& rule : family) built.emplace(rule.op_type, &rule);
    }
    return built;
  }();
  const auto it = node.domain.empty() ? table.find(node.op_type) : table.end();
  return it == table.end() ? nullptr : it->second;
}

}  // namespace twofold
