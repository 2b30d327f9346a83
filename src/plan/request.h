// What a config asks for one operand, before any target is looked at.
#ifndef TWOFOLD_SRC_PLAN_REQUEST_H_
#define TWOFOLD_SRC_PLAN_REQUEST_H_

#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"
#include "plan/config_levels.h"

namespace twofold {

struct Request {
  QType asked = QType::kFloat32;      // the word of highest priority
  QType effective = QType::kFloat32;  // the one of highest priority that has an effect
  DecidedBy decided_by = DecidedBy::kDefault;
  std::string reason;  // why `asked` has no effect, where it has none
};

// What the qtype of a whole node means for one of its data inputs:
//   int8, float16, float32: the same for all;
//   int16: int16, but a weight stays int8;
//   dual-int16: int16 for every input;
//   int16-ec: int16, and ec for the weight (for the second input where both are computed) where the operator takes it.
QType qtype_of_input(NodeQType qtype, const Graph& graph, const Node& node, int input);

// The request of the levels for a data input; absent if none of them says anything.
std::optional<Request> requested_input(const Graph& graph, const Node& node, int input, std::span<const Level> levels);

// The request of the levels for an output, by name (output0); a node's qtype is about its inputs.
std::optional<Request> requested_output(const Node& node, int output, std::span<const Level> levels);

// The settings that apply to an operand: per key the level of highest priority that says something, then the model,
// then the defaults of docs/config.md. For 16-bit operands the default method is max, and for int8 ones `asymmetric` is
// whether there are zero points.
// Throws Error(kInvalidArgument) if num_bin exceeds max_num_bin.
ActivationConfig activation_settings(const Node& node, QType qtype, std::span<const Level> levels,
                                     const ModelConfig& model, bool asymmetric);
WeightConfig weight_settings(std::span<const Level> levels, const ModelConfig& model);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_REQUEST_H_
