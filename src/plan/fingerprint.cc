#include "plan/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "base/error.h"
#include "graph/structural_keys.h"

namespace twofold {

namespace {

// FNV-1a, 64 bits. Every piece of text is followed by a byte that no UTF-8 text holds, so that pieces cannot run
// together.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<uint8_t>(c));
    add_byte(0xFF);
  }
  std::string hex() const { return fmt::format("{:016x}", state_); }

 private:
  void add_byte(uint8_t byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }

  uint64_t state_ = 0xcbf29ce484222325ULL;
};

// Where a value comes from. Names of tensors between nodes do not count.
std::string source(const Graph& graph, ValueId value) {
  if (value == kNone) return "";
  if (graph.constant(value) != nullptr) return "constant";
  const NodeId producer = graph.producer(value);
  if (producer == kNone) return "input " + graph.value(value).name;
  const std::vector<ValueId>& outputs = graph.node(producer).outputs;
  const auto output = std::find(outputs.begin(), outputs.end(), value) - outputs.begin();
  return fmt::format("node {} {}", graph.node(producer).name, output);
}

}  // namespace

std::vector<NodeFingerprint> fingerprint_nodes(const Graph& graph) {
  StructuralKeys content;
  const std::vector<ContentHash> keys = content.of(graph);
  std::vector<NodeFingerprint> result;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    Hash hash;
    for (const ValueId input : node.inputs) hash.add(source(graph, input));
    result.push_back({node.name, node.domain.empty() ? node.op_type : node.domain + "." + node.op_type, hash.hex(),
                      content.of_operator(graph, node, keys).hex()});
  }
  return result;
}

void remember_model(const Graph& graph, Plan& plan) {
  plan.nodes = fingerprint_nodes(graph);
  Hash structure;
  ContentHasher content;
  for (const NodeFingerprint& node : plan.nodes) {
    for (const std::string* text : {&node.name, &node.op_type, &node.hash}) {
      structure.add(*text);
      content.add(*text);
    }
    content.add(node.content);
  }
  plan.model_hash = structure.hex();
  plan.content_hash = content.result().hex();
}

std::string content_hash(const Graph& graph) {
  Plan plan;
  remember_model(graph, plan);
  return plan.content_hash;
}

namespace {

// What is different in a node that plan and model have; empty if nothing is.
std::string difference(const NodeFingerprint& planned, const NodeFingerprint& present) {
  if (present.op_type != planned.op_type) {
    return fmt::format("node '{}' is {} in the plan and {} in the model", planned.name, planned.op_type,
                       present.op_type);
  }
  if (present.hash != planned.hash) {
    return fmt::format("node '{}' ({}) reads other inputs than in the plan", planned.name, planned.op_type);
  }
  if (present.content != planned.content) {
    return fmt::format("node '{}' ({}) has other weights or attributes than in the plan", planned.name,
                       planned.op_type);
  }
  return "";
}

}  // namespace

std::vector<ModelDifference> differences(const Plan& plan, const Graph& graph) {
  const std::vector<NodeFingerprint> present = fingerprint_nodes(graph);
  std::map<std::string_view, const NodeFingerprint*> by_name;
  for (const NodeFingerprint& node : present) by_name.emplace(node.name, &node);
  std::vector<ModelDifference> result;
  for (const NodeFingerprint& planned : plan.nodes) {
    const auto it = by_name.find(planned.name);
    if (it == by_name.end()) {
      result.push_back(
          {planned.name, fmt::format("node '{}' ({}) of the plan is not in the model", planned.name, planned.op_type)});
      continue;
    }
    const NodeFingerprint& found = *it->second;
    if (std::string what = difference(planned, found); !what.empty()) {
      const bool only_content = found.op_type == planned.op_type && found.hash == planned.hash;
      result.push_back({planned.name, std::move(what), only_content});
    }
    by_name.erase(it);
  }
  for (const NodeFingerprint& node : present) {
    if (!by_name.contains(node.name)) continue;
    result.push_back(
        {node.name, fmt::format("node '{}' ({}) of the model is not in the plan", node.name, node.op_type)});
  }
  return result;
}

void check_same_model(const Plan& plan, const Graph& graph) {
  const std::vector<ModelDifference> found = differences(plan, graph);
  if (found.empty()) return;
  constexpr size_t kShown = 10;
  std::string list;
  for (size_t i = 0; i < std::min(found.size(), kShown); ++i) list += "\n  " + found[i].what;
  if (found.size() > kShown) list += fmt::format("\n  and {} more", found.size() - kShown);
  throw_error(ErrorCode::kInvalidArgument, "the plan was made for another model; {} difference{}:{}", found.size(),
              found.size() == 1 ? "" : "s", list);
}

}  // namespace twofold
