#include "engine/fuse_elementwise.h"

#include <algorithm>

#include "dialect/elementwise_node.h"
#include "dialect/product_node.h"
#include "engine/float_chain.h"

namespace twofold {

namespace {

// The node that computes `id` if it is a product with this one output of requantized accumulators, and one reader.
NodeId fusible_product(const Graph& graph, const ChainFinder& chains, ValueId id) {
  const NodeId producer = graph.producer(id);
  if (producer == kNone || !graph.has_single_use(id) || graph.is_output(id) || chains.is_watched(id)) return kNone;
  const Node& node = graph.node(producer);
  if (!ProductNode::is(node) || node.op_type == kIntegerConvTranspose) return kNone;
  const ProductNode product = ProductNode::read(node);
  if (product.program || product.outputs.size() != 1) return kNone;
  return product.outputs[0].dtype != DType::kFloat32 ? producer : kNone;
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
  ElementwiseNode behind = ElementwiseNode::read(node);
  NodeId producer = fusible_product(graph, chains, behind.first);
  if (producer == kNone) {
    if (!begins_with_operand_0(behind.program)) return false;
    producer = fusible_product(graph, chains, behind.operands[0]);
    if (producer == kNone) return false;
    behind.program = with_operand_first(std::move(behind.program), behind.source);
    behind.operands[0] = behind.first;
  }
  Node fused = graph.node(producer);
  ProductNode product = ProductNode::read(fused);
  product.operands = std::move(behind.operands);
  product.program = std::move(behind.program);
  product.write(fused);
  fused.outputs = node.outputs;
  fused.origins.insert(fused.origins.end(), node.origins.begin(), node.origins.end());
  graph.remove_node(id);
  graph.remove_node(producer);
  graph.add_node(std::move(fused));
  return true;
}

}  // namespace

int fuse_elementwise(Graph& graph, const ChainFinder& chains) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (graph.has_node(id) && ElementwiseNode::is(graph.node(id)) && fuse(graph, chains, id)) ++count;
  }
  return count;
}

}  // namespace twofold
