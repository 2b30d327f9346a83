#include "dialect/stored_outputs.h"

#include "base/check.h"
#include "dialect/elementwise_node.h"
#include "dialect/product_node.h"

namespace twofold {

std::vector<StoredForm> stored_outputs(const Node& node) {
  if (ElementwiseNode::is(node)) return ElementwiseNode::read(node).program.outputs;
  if (!ProductNode::is(node)) return {};
  ProductNode product = ProductNode::read(node);
  return product.program ? product.program->outputs : product.outputs;
}

void set_stored_outputs(Node& node, const std::vector<StoredForm>& forms) {
  TWOFOLD_CHECK(stored_outputs(node).size() == forms.size());
  if (ElementwiseNode::is(node)) {
    ElementwiseNode elementwise = ElementwiseNode::read(node);
    elementwise.program.outputs = forms;
    elementwise.write(node);
  } else if (ProductNode::is(node)) {
    ProductNode product = ProductNode::read(node);
    (product.program ? product.program->outputs : product.outputs) = forms;
    product.write(node);
  }
}

}  // namespace twofold
