#include "dialect/ec_quantize_node.h"

#include "dialect/domain.h"

namespace twofold {

void EcQuantizeNode::write(Node& node) const {
  node.domain = kDialect;
  node.op_type = kOpType;
  node.inputs = {x, scale};
}

}  // namespace twofold
