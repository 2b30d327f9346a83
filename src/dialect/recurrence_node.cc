#include "dialect/recurrence_node.h"

#include "dialect/domain.h"
#include "traits/op_names.h"

namespace twofold {

bool RecurrenceNode::is(const Node& node) {
  return node.is(op::kLstm, kDialect) || node.is(op::kGru, kDialect) || node.is(op::kRnn, kDialect);
}

void RecurrenceNode::write(Node& node) const {
  node.domain = kDialect;
  node.inputs[0] = products;
  node.inputs[1] = kNone;
}

}  // namespace twofold
