#include "onnx/upgrade.h"

#include <map>

#include "base/error.h"

namespace twofold {

namespace {

using RuleTable = std::multimap<std::pair<std::string_view, std::string_view>, const UpgradeRule*>;

// Rules of one operator keep the order of this list.
const RuleTable& rule_table() {
  static const RuleTable table = [] {
    RuleTable built;
    for (const auto& theme : {attribute_rules(), softmax_rules(), resize_rules(), normalization_rules(), fused_rules(),
                              qoperator_rules(), dynamic_rules(), newer_rules()}) {
      for (const UpgradeRule& rule : theme) built.emplace(std::pair(rule.domain, rule.op_type), &rule);
    }
    return built;
  }();
  return table;
}

}  // namespace

int Upgrade::rank(ValueId value) const {
  if (value == kNone) return -1;
  const auto& shape = graph_.value(value).type.shape;
  return shape ? static_cast<int>(shape->size()) : -1;
}

std::string Upgrade::name_of(std::string_view word) const { return fmt::format("{}_{}", node().name, word); }

ValueId Upgrade::constant(std::string_view word, Tensor tensor) {
  return graph_.add_constant(graph_.unique_value_name(name_of(word)), std::move(tensor));
}

ValueId Upgrade::ints(std::string_view word, const std::vector<int64_t>& values) {
  return constant(word, Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId Upgrade::scalar(std::string_view word, float value, ValueId like) {
  const DType dtype = like == kNone ? DType::kUndefined : graph_.value(like).type.dtype;
  if (dtype == DType::kFloat64) return constant(word, Tensor::scalar(static_cast<double>(value)));
  const ValueId result = constant(word, Tensor::scalar(value));
  if (dtype != DType::kFloat16 && dtype != DType::kBFloat16) return result;
  Attributes cast;
  cast.set("to", static_cast<int64_t>(dtype));
  return emit(std::string(word) + "_cast", "Cast", {result}, std::move(cast));
}

ValueId Upgrade::emit(std::string_view word, std::string_view op_type, std::vector<ValueId> inputs,
                      Attributes attributes) {
  const ValueId output = graph_.add_value(graph_.unique_value_name(name_of(word)));
  graph_.add_node(
      {name_of(word), std::string(op_type), "", std::move(inputs), {output}, std::move(attributes), node().origins});
  return output;
}

void Upgrade::append(std::string_view word, std::string_view op_type, std::vector<ValueId> more, Attributes attributes,
                     int output) {
  const ValueId result = node().output(output);
  const ValueId before = graph_.add_value(graph_.unique_value_name(name_of("before_" + std::string(word))));
  graph_.set_output(id_, output, before);
  more.insert(more.begin(), before);
  graph_.add_node(
      {name_of(word), std::string(op_type), "", std::move(more), {result}, std::move(attributes), node().origins});
}

void Upgrade::become(std::string_view op_type, std::vector<ValueId> inputs) {
  graph_.set_op_type(id_, std::string(op_type));
  for (size_t i = 0; i < inputs.size(); ++i) graph_.set_input(id_, static_cast<int>(i), inputs[i]);
  graph_.truncate_inputs(id_, static_cast<int>(inputs.size()));
}

void Upgrade::ints_to_input(const char* attribute, int input) {
  if (!attributes().has(attribute)) return;
  const std::vector<int64_t> values = attributes().get_ints(attribute, {});
  attributes().erase(attribute);
  set_input(input, ints(attribute, values));
}

std::optional<Signature> signature_of(std::string_view domain, std::string_view op_type, int64_t version) {
  const auto [begin, end] = rule_table().equal_range({domain, op_type});
  for (auto it = begin; it != end; ++it) {
    const UpgradeRule& rule = *it->second;
    if (version < rule.below && !rule.inputs.empty()) return Signature{rule.inputs, 1, rule.max_outputs};
  }
  const OpTraits* row = domain.empty() ? find_traits(op_type) : nullptr;
  if (row == nullptr) return std::nullopt;
  return signature_of(*row);
}

void upgrade_node(Graph& graph, NodeId id, int64_t version) {
  const auto [begin, end] = rule_table().equal_range({graph.node(id).domain, graph.node(id).op_type});
  Upgrade upgrade(graph, id, version);
  for (auto it = begin; it != end; ++it) {
    if (version >= it->second->below) continue;
    try {
      it->second->apply(upgrade);
    } catch (const Error& error) {
      throw_error(error.code(), "node '{}' ({}): {}", graph.node(id).name, it->second->op_type, error.what());
    }
  }
}

}  // namespace twofold
