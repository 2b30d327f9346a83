#include "api/recorded_plan.h"

#include <algorithm>

#include "base/error.h"
#include "plan/fingerprint.h"
#include "plan/plan_json.h"
#include "quantize/equalize.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr const char* kFloatModel = "twofold.float_model";
constexpr const char* kPlan = "twofold.plan";

// Numbers that stand in the file anyway: a scale for every channel of a weight.
bool is_in_file(const OperandPlan& operand) { return operand.params && operand.params->scale.size() > 1; }

// The scale of a weight as the node reads it; of ec, that of the first digit.
const Tensor* scale_in_file(const Graph& quantized, const OperandPlan& operand) {
  const NodeId reader = quantized.find_node(operand.node);
  const ValueId value = reader == kNone ? kNone : quantized.node(reader).input(operand.operand.index);
  const NodeId source = value == kNone ? kNone : quantized.producer(value);
  if (source == kNone || !quantized.node(source).is(op::kDequantizeLinear)) return nullptr;
  return quantized.constant(quantized.node(source).input(1));
}

}  // namespace

void record_plan(const Plan& plan, const std::filesystem::path& float_model, Graph& quantized) {
  Plan recorded = plan;
  recorded.nodes.clear();
  recorded.notes.clear();
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    // One number keeps the place of all.
    if (is_in_file(plan.operands()[i])) recorded.operand(i).params->scale.resize(1);
  }
  quantized.metadata[kFloatModel] = float_model.filename().string();
  quantized.metadata[kPlan] = plan_to_json(recorded);
}

RecordedPlan recorded_plan(const Graph& quantized, const std::filesystem::path& path) {
  const auto model = quantized.metadata.find(kFloatModel), plan = quantized.metadata.find(kPlan);
  if (model == quantized.metadata.end() || plan == quantized.metadata.end()) {
    throw_error(ErrorCode::kInvalidArgument,
                "{}: the model is quantized already, and does not say of which float model it was made: give the float "
                "one, with the config or plan to test",
                path.string());
  }
  RecordedPlan recorded{model->second, plan_from_json(plan->second, path.string())};
  for (size_t i = 0; i < recorded.plan.operands().size(); ++i) {
    OperandPlan& operand = recorded.plan.operand(i);
    if (!operand.params || operand.params->axis < 0) continue;
    const Tensor* scale = scale_in_file(quantized, operand);
    if (scale == nullptr || scale->dtype() != DType::kFloat32) {
      throw_error(ErrorCode::kInvalidArgument,
                  "{}: node '{}' is not as the plan in the file has it: the file was changed after it was quantized",
                  path.string(), operand.node);
    }
    operand.params->scale.assign(scale->data<float>().begin(), scale->data<float>().end());
  }
  return recorded;
}

Graph equalized_as_recorded(Graph float_model, const Graph& quantized, const std::filesystem::path& path) {
  const auto text = quantized.metadata.find(kPlan);
  if (text == quantized.metadata.end()) return float_model;
  const Plan plan = plan_from_json(text->second, path.string());
  if (plan.equalizations.empty() || plan.content_hash != content_hash(float_model)) return float_model;
  return equalize(float_model, plan.equalizations);
}

}  // namespace twofold
