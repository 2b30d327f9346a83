// What each operand of each operator is to be, who decided it, and why it differs from what was asked.
#ifndef TWOFOLD_SRC_PLAN_PLAN_H_
#define TWOFOLD_SRC_PLAN_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "numeric/qparams.h"
#include "plan/config.h"
#include "plan/equalization.h"
#include "plan/operand_ref.h"
#include "plan/target.h"

namespace twofold {

enum class DecidedBy : uint8_t { kDefault, kOp, kSubgraph, kNode, kSearch };
std::string_view to_string(DecidedBy decided_by);

// One input or output of one node.
//
// Outputs are planned only where something hangs on them: outputs of the model, outputs that a config names, and
// outputs that a target cannot leave as float32. Any other output is what its readers' inputs make of it.
struct OperandPlan {
  std::string node;
  std::string op_type;
  OperandRef operand;
  std::string value;        // name of the tensor
  bool is_weight = false;   // plan/operands.h
  bool moves_data = false;  // the node only moves or clamps integers: scale and zero point in = those of its reader
  QType asked = QType::kFloat32;
  QType granted = QType::kFloat32;
  DecidedBy decided_by = DecidedBy::kDefault;
  std::string reason;  // not empty exactly where granted is not what was asked, or a request has no effect

  // How its range is found. No methods: a search over all that make sense. Empty unless granted is an integer.
  ActivationConfig activation;  // not of weights
  WeightConfig weight;          // of weights; no rounding: whichever has the smaller output error

  // After calibration.
  std::vector<float> bias_shift;  // of a weight: what is added to its node's bias, per output channel; empty: nothing
  std::optional<QParams> params;
  float threshold = 0;  // largest magnitude (of any channel) that is not cut off
  std::string method;   // what found it, e.g. "percentile 0.9999"

  bool operator==(const OperandPlan&) const = default;
};

// What a plan remembers of a node, to tell whether a model is the one it was made for.
struct NodeFingerprint {
  std::string name;
  std::string op_type;
  std::string hash;     // of where its inputs come from
  std::string content;  // of its attributes and constants; empty in plans of version 1

  bool operator==(const NodeFingerprint&) const = default;
};

class Plan {
 public:
  std::string model_hash;              // of the nodes and how they are connected
  std::string content_hash;            // of that, and of attributes and weights; empty in plans of version 1
  std::vector<NodeFingerprint> nodes;  // in graph order
  std::string target;
  std::string compiler_version;  // empty: not said
  FallbackPolicy policy = FallbackPolicy::kV2;
  bool shared_scales = false;      // of the target: all tensors that movers join have one scale
  bool uint8_activations = false;  // int8 activations are written as uint8 with zero point 128
  // In graph order of the tensors. Operands are those of the equalized model, hashes and nodes those of the model
  // itself.
  std::vector<Equalization> equalizations;
  std::vector<std::string> notes;  // worth knowing, and no request unmet
  std::vector<std::string> unmet;  // requests that found nothing to apply to

  // In graph order; the inputs of a node before its outputs.
  const std::vector<OperandPlan>& operands() const { return operands_; }
  // Throws Error(kInvalidArgument) if the operand is there already.
  void add(OperandPlan operand);
  // nullptr if the operand is not planned: it stays as it is.
  const OperandPlan* find(std::string_view node, OperandRef operand) const;
  OperandPlan* find(std::string_view node, OperandRef operand);
  // The operands of a node, inputs before outputs.
  std::vector<const OperandPlan*> of_node(std::string_view node) const;
  // By position in operands(). The node and the operand that it is of must stay as they are.
  OperandPlan& operand(size_t position) { return operands_[position]; }
  // "node 'Conv_1' (Conv) input1: asked int16, granted int8: why", then the unmet requests.
  std::vector<std::string> fallbacks() const;

  bool operator==(const Plan&) const = default;

 private:
  std::vector<OperandPlan> operands_;
  std::map<std::string, std::map<OperandRef, size_t>, std::less<>> index_;  // by node, then operand
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_PLAN_H_
