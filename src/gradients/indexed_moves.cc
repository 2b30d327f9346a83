// Operators that take elements by index.
#include "gradients/families.h"
#include "gradients/scatter_back.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// One index is a slice without its axis: the gradient with zeros around.
bool gather_one(RuleCall& call) {
  const auto index = call.ints(1);
  if (!index || index->size() != 1) return false;
  const int64_t axis = call.axis("axis", 0);
  const Shape& x = call.x_shape();
  const auto d = static_cast<size_t>(axis);
  Shape slice = x;
  slice[d] = 1;
  const int64_t at = (*index)[0] < 0 ? (*index)[0] + x[d] : (*index)[0];
  std::vector<int64_t> pads(2 * x.size(), 0);
  pads[d] = at;
  pads[d + x.size()] = x[d] - at - 1;
  call.add(0, call.backward().node(op::kPad, {reshape(call.dy(), slice), call.backward().ints(pads)}));
  return true;
}

void gather(RuleCall& call) {
  if (call.wants(0) && !gather_one(call)) lead_back_by_position(call);
}

void gather_elements(RuleCall& call) {
  BackwardGraph& backward = call.backward();
  call.add(0, backward.node(op::kScatterElements, {backward.zeros(call.x_shape()), call.x(1), call.dy()},
                            {{"axis", call.axis("axis", 0)}, {"reduction", std::string("add")}}));
}

// Back to where the values were taken from, which the second output says.
void top_k(RuleCall& call) {
  BackwardGraph& backward = call.backward();
  Term index;
  if (call.node().output(1) != kNone) {
    index = call.y(1);
  } else {
    BackwardGraph::AttributeList attributes;
    for (const auto& [name, value] : call.attributes()) attributes.emplace_back(name, value);
    index = backward.outputs(op::kTopK, {call.x(0), call.x(1)}, attributes, 2)[1];
  }
  call.add(0, backward.node(op::kScatterElements, {backward.zeros(call.x_shape()), index, call.dy()},
                            {{"axis", call.axis("axis", -1)}, {"reduction", std::string("add")}}));
}

constexpr RuleDef kRules[] = {
    {op::kCompress, lead_back_by_position}, {op::kGather, gather}, {op::kGatherElements, gather_elements},
    {op::kGatherNd, lead_back_by_position}, {op::kTopK, top_k},
};

}  // namespace

std::span<const RuleDef> indexed_moves_gradients() { return kRules; }

}  // namespace twofold
