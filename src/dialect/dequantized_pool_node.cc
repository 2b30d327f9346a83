#include "dialect/dequantized_pool_node.h"

#include "dialect/domain.h"

namespace twofold {

void DequantizedPoolNode::write(Node& node) const {
  node.domain = kDialect;
  node.op_type = kOpType;
  node.inputs = {integers, scale};
  if (zero_point != kNone) node.inputs.push_back(zero_point);
}

}  // namespace twofold
