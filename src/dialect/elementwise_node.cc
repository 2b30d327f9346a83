#include "dialect/elementwise_node.h"

#include "base/error.h"
#include "dialect/check_node.h"
#include "dialect/domain.h"
#include "loops/broadcast.h"

namespace twofold {

namespace {

constexpr const char* kSource = "source";

}  // namespace

bool ElementwiseNode::is(const Node& node) { return node.is(kOpType, kDialect); }

ElementwiseNode ElementwiseNode::read(const Node& node) {
  ElementwiseNode result;
  const std::vector<StoredForm> source = read_forms(node.attributes, kSource);
  if (source.size() != 1 || source[0].dtype == DType::kFloat64) {
    throw_error(ErrorCode::kInvalidModel, "a program begins with one form: integers or float32");
  }
  std::optional<FloatProgram> program = FloatProgram::read(node.attributes);
  if (!program) throw_error(ErrorCode::kInvalidModel, "the node has no program");
  const size_t inputs = 1 + program->operands.size();
  if (inputs > kMaxBroadcastInputs) {
    throw_error(ErrorCode::kInvalidModel, "the node has {} inputs; at most {} broadcast", inputs, kMaxBroadcastInputs);
  }
  check_inputs(node, inputs, inputs);
  check_given(node, 0, inputs);
  check_outputs(node, program->outputs.size());
  result.first = node.inputs[0];
  result.operands.assign(node.inputs.begin() + 1, node.inputs.end());
  result.source = source[0];
  result.program = std::move(*program);
  return result;
}

void ElementwiseNode::write(Node& node) const {
  node.domain = kDialect;
  node.op_type = kOpType;
  node.inputs = {first};
  node.inputs.insert(node.inputs.end(), operands.begin(), operands.end());
  write_forms(node.attributes, kSource, {source});
  program.write(node.attributes);
}

}  // namespace twofold
