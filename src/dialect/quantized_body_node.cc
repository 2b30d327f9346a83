#include "dialect/quantized_body_node.h"

#include "dialect/check_node.h"

namespace twofold {

namespace {

constexpr const char* kBody = "body";

}  // namespace

QuantizedBodyNode QuantizedBodyNode::read(const Node& node) {
  std::shared_ptr<const Graph> body = node.attributes.get_graph(kBody);
  check_inputs(node, body->inputs.size(), body->inputs.size());
  check_given(node, 0, node.inputs.size());
  check_outputs(node, body->outputs.size());
  return {node.op_type, node.inputs, std::move(body)};
}

void QuantizedBodyNode::write(Node& node) const {
  node.domain = kQuantizedDomain;
  node.op_type = op_type;
  node.inputs = inputs;
  node.attributes.set(kBody, body);
}

}  // namespace twofold
