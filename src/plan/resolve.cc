#include "plan/resolve.h"

#include <algorithm>

#include "base/error.h"
#include "plan/combination.h"
#include "plan/config_levels.h"
#include "plan/epilogues.h"
#include "plan/fingerprint.h"
#include "plan/float_functions.h"
#include "plan/operands.h"
#include "plan/plan_notes.h"
#include "plan/refused_requests.h"
#include "plan/request.h"
#include "traits/gemm_type.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

bool is_float_type(QType qtype) { return !is_integer(qtype); }

NodeQType node_qtype(QType all_node_type) {
  switch (all_node_type) {
    case QType::kInt16: return NodeQType::kInt16;
    case QType::kFloat16: return NodeQType::kFloat16;
    case QType::kFloat32: return NodeQType::kFloat32;
    default: return NodeQType::kInt8;
  }
}

// "(int16, int8)".
std::string tuple_text(std::span<const QType> qtypes) {
  std::string text;
  for (const QType qtype : qtypes) text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(qtype));
  return "(" + text + ")";
}

// Nodes that read a value without its numbers, so that they do not care about its precision.
bool reads_only_shape(const Node& node) { return traits_of(node).effect == Effect::kReadsShape; }

class Resolver {
 public:
  Resolver(const Graph& graph, const QuantConfig& config, const Target& target, const ResolveOptions& options)
      : graph_(graph),
        config_(config),
        target_(target),
        options_(options),
        levels_(graph, config, options.input_file_nodes),
        is_float_(float_values(graph)),
        is_epilogue_(find_epilogues(graph, target)),
        in_float_function_(find_float_functions(graph, target, levels_, is_float_)),
        refused_(graph, is_float_),
        planned_(static_cast<size_t>(graph.node_limit())) {}

  Plan run();

 private:
  struct NodePlan {
    std::vector<OperandPlan> inputs, outputs;
  };

  bool is_float(ValueId value) const { return value != kNone && is_float_[static_cast<size_t>(value)]; }
  bool stays_float(const Node& node) const;
  std::vector<int> inputs_to_plan(const Node& node) const {
    return options_.equalizers.contains(node.name) ? std::vector<int>() : float_data_inputs(node, is_float_);
  }
  OperandPlan make_operand(const Node& node, OperandRef operand, ValueId value) const;

  void plan_node(NodeId id);
  void plan_inputs(NodeId id, const std::vector<int>& indices);
  void plan_outputs(NodeId id, const Combination* combination);

  Request request_input(const Node& node, int input, std::span<const Level> levels) const;
  std::string why_no_range(ValueId value) const;
  std::string why_no_range(const Node& node, int input) const;
  QType default_input(const Node& node, int input) const;
  std::optional<QType> precision_of_readers(const Node& node) const;
  std::optional<QType> precision_of_readers(ValueId value) const;
  bool is_read_as_float(ValueId value) const;
  QType granted_to_reader(NodeId reader, ValueId value) const;

  size_t input_to_keep(const Node& node, const std::vector<int>& indices) const;
  std::string apply_policy_v1(const Node& node, const std::vector<int>& indices, std::vector<QType>& wanted) const;
  std::string why_not(const Node& node, std::span<const QType> wanted, std::span<const QType> granted) const;

  const Graph& graph_;
  const QuantConfig& config_;
  const Target& target_;
  const ResolveOptions& options_;
  ConfigLevels levels_;
  std::vector<bool> is_float_;           // by ValueId
  std::vector<bool> is_epilogue_;        // by NodeId
  std::vector<bool> in_float_function_;  // by NodeId
  RefusedRequests refused_;
  std::vector<NodePlan> planned_;  // by NodeId
  FallbackPolicy policy_ = FallbackPolicy::kV2;
};

OperandPlan Resolver::make_operand(const Node& node, OperandRef operand, ValueId value) const {
  OperandPlan plan;
  plan.node = node.name;
  plan.op_type = node.op_type;
  plan.operand = operand;
  plan.value = graph_.value(value).name;
  plan.moves_data = moves_data(traits_of(node));
  return plan;
}

// The precision that one reader of a value sees it in; float32 where the reader's input is not planned.
QType Resolver::granted_to_reader(NodeId reader, ValueId value) const {
  const Node& node = graph_.node(reader);
  QType result = QType::kInt8;
  bool found = false;
  for (const OperandPlan& operand : planned_[static_cast<size_t>(reader)].inputs) {
    if (node.input(operand.operand.index) != value) continue;
    result = std::max(result, operand.granted);
    found = true;
  }
  return found ? result : QType::kFloat32;
}

// The highest precision in which anything reads the value; absent if nothing does. Readers must be planned already.
std::optional<QType> Resolver::precision_of_readers(ValueId value) const {
  std::optional<QType> result;
  const auto raise = [&result](QType qtype) { result = std::max(result.value_or(QType::kInt8), qtype); };
  for (const NodeId reader : graph_.consumers(value)) {
    if (!reads_only_shape(graph_.node(reader))) raise(granted_to_reader(reader, value));
  }
  if (graph_.is_output(value)) raise(config_.model.model_output_type.value_or(QType::kFloat32));
  return result;
}

bool Resolver::is_read_as_float(ValueId value) const {
  const std::optional<QType> precision = precision_of_readers(value);
  return precision && is_float_type(*precision);
}

// For a node that moves data: what its readers, or a config of its outputs, make of its results.
std::optional<QType> Resolver::precision_of_readers(const Node& node) const {
  std::optional<QType> result;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (!is_float(node.outputs[i])) continue;
    std::optional<QType> precision = precision_of_readers(node.outputs[i]);
    const NodeId id = graph_.producer(node.outputs[i]);
    if (const auto asked = requested_output(node, static_cast<int>(i), levels_.of(id));
        asked && asked->reason.empty()) {
      precision = asked->effective;
    }
    if (precision) result = std::max(result.value_or(QType::kInt8), *precision);
  }
  // ec stands for two terms, which only its reader takes apart; until then the value is not rounded.
  if (result && (*result == QType::kEc || *result == QType::kFloat16)) return QType::kFloat32;
  return result;
}

// Whether integers are asked in vain for a node that no config names.
bool Resolver::stays_float(const Node& node) const {
  const auto id = static_cast<size_t>(graph_.find_node(node.name));
  return !target_.quantizes_by_default(node.op_type) || is_epilogue_[id] || in_float_function_[id];
}

// What an input is where neither a node, a subgraph nor an op config asks for anything.
QType Resolver::default_input(const Node& node, int input) const {
  const QType all = config_.model.all_node_type.value_or(QType::kInt8);
  if (is_integer(all) && stays_float(node)) return QType::kFloat32;
  if (is_integer(all) && moves_data(traits_of(node))) {
    if (const std::optional<QType> precision = precision_of_readers(node)) return *precision;
  }
  const auto chosen = options_.kinds.find(node.op_type);
  NodeQType qtype = node_qtype(chosen == options_.kinds.end() ? all : chosen->second);
  // Where 8 bits were too coarse for a kind, they are for its weights.
  if (chosen != options_.kinds.end() && qtype == NodeQType::kInt16) qtype = NodeQType::kDualInt16;
  return qtype_of_input(qtype, graph_, node, input);
}

Request Resolver::request_input(const Node& node, int input, std::span<const Level> levels) const {
  std::optional<Request> request = requested_input(graph_, node, input, levels);
  const QType fallback = default_input(node, input);
  if (!request) {
    const bool searched = options_.kinds.contains(node.op_type) && !stays_float(node);
    return {fallback, fallback, searched ? DecidedBy::kSearch : DecidedBy::kDefault, ""};
  }
  if (request->decided_by == DecidedBy::kDefault) request->effective = fallback;  // all that was asked was in vain
  return *request;
}

// Why the tensor cannot be integers; empty where it can.
std::string Resolver::why_no_range(ValueId value) const {
  const Tensor* constant = graph_.constant(value);
  if (constant != nullptr && constant->size() == 0) {
    return fmt::format("no range can be made of '{}': it has no elements", graph_.value(value).name);
  }
  const auto it = options_.without_range.find(graph_.value(value).name);
  return it == options_.without_range.end() ? ""
                                            : fmt::format("no range can be made of '{}': it {}", it->first, it->second);
}

// The same of an input; that of a node that moves data has the scale of what comes out.
std::string Resolver::why_no_range(const Node& node, int input) const {
  std::string why = why_no_range(node.input(input));
  if (!moves_data(traits_of(node))) return why;
  for (const ValueId output : node.outputs) {
    if (why.empty() && is_float(output)) why = why_no_range(output);
  }
  return why;
}

void add_reason(OperandPlan& operand, const std::string& reason) {
  operand.reason += (operand.reason.empty() ? "" : "; ") + reason;
}

// The data input (as an index into `indices`) that keeps its precision where not both can.
size_t Resolver::input_to_keep(const Node& node, const std::vector<int>& indices) const {
  size_t keep = 0;
  double worst = -1;
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto it = options_.sensitivity.find({node.name, OperandRef::input(indices[i])});
    if (it == options_.sensitivity.end() || it->second <= worst) continue;
    worst = it->second;
    keep = i;
  }
  return keep;
}

// Leaves at most one 16-bit input of a Gemm-type operator in `wanted`; the reason if that changes anything.
std::string Resolver::apply_policy_v1(const Node& node, const std::vector<int>& indices,
                                      std::vector<QType>& wanted) const {
  if (policy_ != FallbackPolicy::kV1 || !is_gemm_type(node.op_type)) return "";
  if (std::count_if(wanted.begin(), wanted.end(), is_16bit) < 2) return "";
  const size_t keep = input_to_keep(node, indices);
  const OperandRef kept = OperandRef::input(indices[keep]);
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (i != keep && is_16bit(wanted[i])) wanted[i] = QType::kInt8;
  }
  return fmt::format(
      "fallback policy v1 keeps one 16-bit input of a {}: {}, {}", node.op_type, to_string(kept),
      options_.sensitivity.contains({node.name, kept}) ? "the more sensitive one" : "as no sensitivity is given");
}

std::string Resolver::why_not(const Node& node, std::span<const QType> wanted, std::span<const QType> granted) const {
  const std::string& note = target_.rule(node.op_type).note;
  return fmt::format("target '{}' has no {} with inputs {}; the nearest is {}{}{}", target_.name, node.op_type,
                     tuple_text(wanted), tuple_text(granted), note.empty() ? "" : ": ", note);
}

void Resolver::plan_inputs(NodeId id, const std::vector<int>& indices) {
  const Node& node = graph_.node(id);
  const std::vector<Level>& levels = levels_.of(id);
  std::vector<OperandPlan>& operands = planned_[static_cast<size_t>(id)].inputs;
  std::vector<QType> asked;
  std::vector<bool> never_integers;
  for (const int index : indices) {
    const Request request = request_input(node, index, levels);
    OperandPlan operand = make_operand(node, OperandRef::input(index), node.input(index));
    operand.is_weight = is_weight(graph_, node, index);
    operand.asked = request.asked;
    operand.decided_by = request.decided_by;
    operand.reason = request.reason;
    asked.push_back(request.effective);
    const std::string why = why_no_range(node, index);
    never_integers.push_back(!why.empty());
    if (!why.empty() && is_integer(request.effective)) {
      add_reason(operand, why);
      asked.back() = QType::kFloat32;
    }
    operands.push_back(std::move(operand));
  }
  std::vector<QType> wanted = asked;
  const std::string policy_reason = apply_policy_v1(node, indices, wanted);
  const Grant grant = nearest_combination(target_.rule(node.op_type), node.op_type, indices, wanted,
                                          input_to_keep(node, indices), never_integers);
  for (size_t i = 0; i < operands.size(); ++i) {
    OperandPlan& operand = operands[i];
    // A rule may hold nothing but ec for an input that does not take it; then the input stays float.
    operand.granted = grant.combination == nullptr ? QType::kFloat32 : grant.inputs[i];
    if (wanted[i] != asked[i]) add_reason(operand, policy_reason);
    if (operand.granted != wanted[i]) {
      add_reason(operand, why_not(node, wanted,
                                  grant.combination == nullptr ? std::vector<QType>{QType::kFloat32} : grant.inputs));
    }
    if (!is_integer(operand.granted)) continue;
    if (operand.is_weight) {
      operand.weight = weight_settings(levels, config_.model);
    } else {
      operand.activation = activation_settings(node, operand.granted, levels, config_.model, target_.asymmetric);
    }
  }
  plan_outputs(id, grant.combination);
}

// Plans the outputs that a config names, those of the model, and those that the target cannot leave as float32.
void Resolver::plan_outputs(NodeId id, const Combination* combination) {
  const Node& node = graph_.node(id);
  const std::vector<Level>& levels = levels_.of(id);
  static const std::vector<QType> kAny = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};
  const std::vector<QType>& allowed = combination == nullptr ? kAny : combination->outputs;
  for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) {
    const ValueId value = node.output(i);
    if (!is_float(value)) continue;
    OperandPlan operand = make_operand(node, OperandRef::output(i), value);
    const std::optional<Request> request = requested_output(node, i, levels);
    QType wanted =
        graph_.is_output(value) ? config_.model.model_output_type.value_or(QType::kFloat32) : QType::kFloat32;
    operand.asked = wanted;
    if (request) {
      operand.asked = request->asked;
      operand.reason = request->reason;
      operand.decided_by = request->decided_by;
      if (request->decided_by != DecidedBy::kDefault) wanted = request->effective;
    }
    const std::string why = why_no_range(value);
    if (!why.empty() && is_integer(wanted)) {
      add_reason(operand, why);
      wanted = QType::kFloat32;
    }
    const bool fits = !why.empty() || std::find(allowed.begin(), allowed.end(), wanted) != allowed.end();
    if (!request && !graph_.is_output(value) && (fits || !is_read_as_float(value))) continue;
    operand.granted = fits ? wanted : nearest_output(allowed, wanted);
    if (!fits) {
      const std::string& note = target_.rule(node.op_type).note;
      add_reason(operand, fmt::format("target '{}' has no {} output of {} with these inputs{}{}", target_.name,
                                      to_string(wanted), node.op_type, note.empty() ? "" : ": ", note));
    }
    if (is_integer(operand.granted)) {
      operand.activation = activation_settings(node, operand.granted, levels, config_.model, target_.asymmetric);
    }
    planned_[static_cast<size_t>(id)].outputs.push_back(std::move(operand));
  }
}

void Resolver::plan_node(NodeId id) {
  const Node& node = graph_.node(id);
  const std::vector<int> indices = inputs_to_plan(node);
  if (indices.empty()) {
    plan_outputs(id, nullptr);
  } else {
    plan_inputs(id, indices);
  }
  NodePlan& plan = planned_[static_cast<size_t>(id)];
  for (OperandPlan& operand : refused_.find(node, levels_.of(id), plan.inputs, plan.outputs)) {
    (operand.operand.is_input() ? plan.inputs : plan.outputs).push_back(std::move(operand));
  }
}

Plan Resolver::run() {
  if (!options_.compiler_version.empty()) check_compiler_version(target_, options_.compiler_version);
  policy_ = options_.policy.value_or(target_.fallback);
  const std::vector<NodeId> order = graph_.topological_order();
  for (auto it = order.rbegin(); it != order.rend(); ++it) plan_node(*it);  // readers before writers
  refused_.check_missing();

  Plan plan;
  remember_model(graph_, plan);
  plan.target = target_.name;
  plan.compiler_version = options_.compiler_version;
  plan.policy = policy_;
  plan.shared_scales = target_.shared_scales;
  plan.unmet = levels_.unmet();
  for (const NodeId id : order) {
    NodePlan& node = planned_[static_cast<size_t>(id)];
    for (OperandPlan& operand : node.inputs) plan.add(std::move(operand));
    for (OperandPlan& operand : node.outputs) plan.add(std::move(operand));
  }
  PlanNotes(graph_, config_, target_, levels_, is_float_, is_epilogue_, in_float_function_).add_to(plan);
  return plan;
}

}  // namespace

KindPrecisions chosen_kinds(const Plan& plan) {
  KindPrecisions kinds;
  for (const OperandPlan& operand : plan.operands()) {
    if (operand.decided_by == DecidedBy::kSearch) kinds[operand.op_type] = operand.granted;
  }
  return kinds;
}

Plan resolve(const Graph& graph, const QuantConfig& config, const Target& target, const ResolveOptions& options) {
  Plan plan = Resolver(graph, config, target, options).run();
  const std::vector<std::string> fallbacks = plan.fallbacks();
  if (!options.strict || fallbacks.empty()) return plan;
  throw_error(ErrorCode::kUnsupported, "--strict: {} request{} cannot be met as asked: {}", fallbacks.size(),
              fallbacks.size() == 1 ? "" : "s", fmt::join(fallbacks, "; "));
}

}  // namespace twofold
