// The kernel of EcQuantize (ec_quantize_node.h).
#include "dialect/domain.h"
#include "dialect/ec_quantize_node.h"
#include "dialect/families.h"
#include "numeric/quantize_channels.h"

namespace twofold {

namespace {

void ec_quantize_op(OpCall& call) {
  const Tensor& x = call.input(0);
  if (call.input(1).size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "the scale has {} elements", call.input(1).size());
  }
  const ChannelScales scale(x.shape(), -1, call.input(1).data<float>(), {});
  ec_quantize(x.data<float>(), scale, call.output(0, DType::kInt16, x.shape(), x.layout()).mutable_data<int16_t>());
}

constexpr OpDef kOps[] = {
    {.op_type = EcQuantizeNode::kOpType, .run = ec_quantize_op, .any_layout = true, .domain = kDialect}};

}  // namespace

std::span<const OpDef> ec_quantize_ops() { return kOps; }

}  // namespace twofold
