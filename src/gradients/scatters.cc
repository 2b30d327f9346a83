// ScatterElements and ScatterND: data with updates put in, or added. Indices are taken to be distinct where updates
// replace, as ONNX asks.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// The operator has taken updates from where `take` takes elements of the result.
void scatter(RuleCall& call, const char* take, const BackwardGraph::AttributeList& axis) {
  BackwardGraph& backward = call.backward();
  const std::string reduction = call.attributes().get_string("reduction", "none");
  if (reduction != "none" && reduction != "add") {
    for (const int i : {0, 2}) call.lacks(i, "no rule for the reduction " + reduction);
    return;
  }
  const Term dy = call.dy();
  if (call.wants(0)) {
    const bool adds = reduction == "add";
    call.add(0, adds ? dy : backward.node(call.node().op_type, {dy, call.x(1), backward.zeros(call.x_shape(2))}, axis));
  }
  if (call.wants(2)) call.add(2, backward.node(take, {dy, call.x(1)}, axis));
}

void scatter_elements(RuleCall& call) { scatter(call, op::kGatherElements, {{"axis", call.axis("axis", 0)}}); }

void scatter_nd(RuleCall& call) { scatter(call, op::kGatherNd, {}); }

constexpr RuleDef kRules[] = {
    {op::kScatterElements, scatter_elements},
    {op::kScatterNd, scatter_nd},
};

}  // namespace

std::span<const RuleDef> scatter_gradients() { return kRules; }

}  // namespace twofold
