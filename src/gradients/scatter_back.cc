#include "gradients/scatter_back.h"

#include <numeric>

#include "traits/op_names.h"

namespace twofold {

Term scatter_back(BackwardGraph& backward, Term position, Term dy, const Shape& shape, bool spare) {
  const int64_t size = num_elements(shape);
  const Shape list = {-1};
  const auto flat = [&](Term term) { return backward.node(op::kReshape, {term, backward.ints(list)}); };
  // The last element, which is also the one at -1, is the spare one.
  Term sum = backward.node(op::kScatterElements, {backward.zeros({size + (spare ? 1 : 0)}), flat(position), flat(dy)},
                           {{"reduction", std::string("add")}});
  if (spare) sum = backward.node(op::kSlice, {sum, backward.ints({0}), backward.ints({size})});
  return reshape(sum, shape);
}

Term positions(BackwardGraph& backward, const Shape& shape) {
  Tensor tensor(DType::kInt64, shape);
  const std::span<int64_t> data = tensor.mutable_data<int64_t>();
  std::iota(data.begin(), data.end(), int64_t{0});
  return backward.constant(std::move(tensor));
}

void lead_back_by_position(RuleCall& call) {
  if (!call.wants(0)) return;
  BackwardGraph& backward = call.backward();
  const Term moved =
      backward.node(call.node().op_type, call.inputs_after(positions(backward, call.x_shape())), call.attributes());
  call.add(0, scatter_back(backward, moved, call.dy(), call.x_shape()));
}

}  // namespace twofold
