#include <algorithm>
#include <array>
#include <string_view>

#include "dialect/float_program.h"
#include "engine/float_chain.h"
#include "engine/lower.h"

namespace twofold {

namespace {

constexpr std::array<std::string_view, 3> kProducts = {"IntegerConv", "IntegerMatMul", "IntegerGemm"};

// The node that computes `id` if it is a product with this one output of requantized accumulators, and one reader.
NodeId fusible_product(const Graph& graph, const ChainFinder& chains, ValueId id) {
  const NodeId producer = graph.producer(id);
  if (producer == kNone || !graph.has_single_use(id) || graph.is_output(id) || chains.is_watched(id)) return kNone;
  const Node& node = graph.node(producer);
  if (node.domain != "twofold" || std::ranges::find(kProducts, node.op_type) == kProducts.end()) return kNone;
  const std::vector<StoredForm> forms = read_forms(node.attributes, kProductOutputs);
  return forms.size() == 1 && forms[0].dtype != DType::kFloat32 ? producer : kNone;
}

// The program as it begins with operand 0, which takes turns with what it began with. REQUIRES: its first step reads
// operand 0, and no other step does.
FloatProgram with_operand_first(FloatProgram program, const StoredForm& first) {
  auto& step = std::get<BinaryStep>(program.steps[0]);
  step.reversed = !step.reversed;
  program.operands[0] = first;
  return program;
}

// PRelu has no reversed form.
bool begins_with_operand_0(const FloatProgram& program) {
  const auto reads_it = [](const FloatStep& step) { return operand_of(step) == 0; };
  return reads_it(program.steps[0]) && std::ranges::count_if(program.steps, reads_it) == 1 &&
         std::get<BinaryStep>(program.steps[0]).op != BinaryOp::kPRelu;
}

bool fuse(Graph& graph, const ChainFinder& chains, NodeId id) {
  const Node& node = graph.node(id);
  FloatProgram program = FloatProgram::read(node.attributes);
  std::vector<ValueId> operands(node.inputs.begin() + 1, node.inputs.end());
  NodeId product = fusible_product(graph, chains, node.inputs[0]);
  if (product == kNone) {
    if (!begins_with_operand_0(program)) return false;
    product = fusible_product(graph, chains, operands[0]);
    if (product == kNone) return false;
    program = with_operand_first(std::move(program), read_forms(node.attributes, kProgramSource).at(0));
    operands[0] = node.inputs[0];
  }
  Node fused = graph.node(product);
  const std::vector<StoredForm> forms = read_forms(fused.attributes, kProductOutputs);
  write_forms(fused.attributes, kProductOutputs, {});
  write_forms(fused.attributes, kProgramSource, forms);
  program.write(fused.attributes);
  fused.inputs.resize(3, kNone);
  fused.inputs.insert(fused.inputs.end(), operands.begin(), operands.end());
  fused.outputs = node.outputs;
  fused.origins.insert(fused.origins.end(), node.origins.begin(), node.origins.end());
  graph.remove_node(id);
  graph.remove_node(product);
  graph.add_node(std::move(fused));
  return true;
}

}  // namespace

int fuse_elementwise(Graph& graph, const ChainFinder& chains) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (graph.has_node(id) && graph.node(id).is("Elementwise", "twofold") && fuse(graph, chains, id)) ++count;
  }
  return count;
}

}  // namespace twofold
