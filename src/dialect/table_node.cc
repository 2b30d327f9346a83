#include "dialect/table_node.h"

#include "base/error.h"
#include "dialect/check_node.h"
#include "dialect/domain.h"

namespace twofold {

namespace {

constexpr const char* kLeastRank = "least_rank";
constexpr int64_t kMaxRank = 64;  // no tensor has more axes

}  // namespace

bool TableNode::is(const Node& node) { return node.is(kOpType, kDialect); }

TableNode TableNode::read(const Node& node) {
  check_inputs(node, 2, 2);
  check_given(node, 0, 2);
  check_outputs(node, 1);
  const int64_t least_rank = node.attributes.get_int(kLeastRank, 0);
  if (least_rank < 0 || least_rank > kMaxRank) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the value {}; it must be from 0 to {}", kLeastRank,
                least_rank, kMaxRank);
  }
  return {node.inputs[0], node.inputs[1], least_rank};
}

void TableNode::write(Node& node) const {
  node.domain = kDialect;
  node.op_type = kOpType;
  node.inputs = {x, table};
  if (least_rank > 0) {
    node.attributes.set(kLeastRank, least_rank);
  } else {
    node.attributes.erase(kLeastRank);
  }
}

}  // namespace twofold
