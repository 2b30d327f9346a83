#include "traits/recurrent.h"

#include "traits/op_names.h"

namespace twofold {

bool is_recurrent(std::string_view op_type) {
  return op_type == op::kLstm || op_type == op::kGru || op_type == op::kRnn;
}

bool is_recurrent(const Node& node) { return node.domain.empty() && is_recurrent(node.op_type); }

}  // namespace twofold
