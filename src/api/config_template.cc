#include "twofold/config_template.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "api/float_model.h"
#include "passes/pipeline.h"
#include "plan/config_lines.h"
#include "plan/operands.h"

namespace twofold {

namespace {

constexpr std::string_view kHead =
    R"(# What twofold quantize makes of a model (docs/config.md has every key). As it is, this file changes
# nothing. To use a line that begins with '#' and no blank, take its '#' away.
model_config:
  all_node_type: auto  # or int8, int16, float16, float32
#  model_output_type: float32  # or int8, int16
#  activation: {calibration_type: [max, percentile], max_percentile: [0.9999, 0.99999]}
#  weight: {rounding: [nearest, preserve_sum]}
#  equalization: true
)";

constexpr std::string_view kOps = R"(
# All nodes of an operator: qtype is int8, int16, dual-int16, int16-ec, float16 or float32. The operators of this model:
)";

constexpr std::string_view kNodes = R"(
# One node, or with * in the name all that it fits; this wins over the above. input0 and so on say it of one operand:
# int8, int16, ec, float16 or float32. The nodes of this model:
)";

constexpr NodeQType kExample = NodeQType::kInt16;

// The lines of a section as comments, with what else is known of every entry but the section's name.
std::string commented(const QuantConfig& config, const std::vector<std::string>& remarks) {
  const std::string lines = config_lines(config);
  std::string text;
  size_t number = 0;
  for (size_t begin = 0; begin < lines.size(); ++number) {
    const size_t end = lines.find('\n', begin);
    const std::string remark = number > 0 ? "  # " + remarks.at(number - 1) : "";
    text += fmt::format("#{}{}\n", std::string_view(lines).substr(begin, end - begin), remark);
    begin = end + 1;
  }
  return text;
}

}  // namespace

std::string config_template(const std::filesystem::path& model) {
  Graph graph = import_float_model(model);
  run_passes(graph);
  const std::vector<bool> is_float = float_values(graph);
  QuantConfig ops, nodes;
  std::map<std::string, int> counts;
  std::map<std::string, std::string> kinds;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (float_data_inputs(node, is_float).empty()) continue;
    ops.ops[node.op_type].qtype = kExample;
    nodes.nodes[node.name].qtype = kExample;
    ++counts[node.op_type];
    kinds[node.name] = node.op_type;
  }
  std::vector<std::string> of_ops, of_nodes;  // in the order of the lines, which are sorted too
  for (const auto& [op_type, count] : counts) of_ops.push_back(fmt::format("{} node{}", count, count == 1 ? "" : "s"));
  for (const auto& [name, op_type] : kinds) of_nodes.push_back(op_type);
  std::string text(kHead);
  if (!counts.empty())
    text += fmt::format("{}{}{}{}", kOps, commented(ops, of_ops), kNodes, commented(nodes, of_nodes));
  return text;
}

}  // namespace twofold
