// EcQuantize of domain "twofold": (x float32, s1 float32 scalar) -> v int16, the joined digits of an ec activation.
#include "dialect/families.h"
#include "numeric/quantize_channels.h"

namespace twofold {

namespace {

void ec_quantize_op(OpCall& call) {
  const Tensor& x = call.input(0);
  const ChannelScales scale(x.shape(), -1, call.input(1).data<float>().first(1), {});
  ec_quantize(x.data<float>(), scale, call.output(0, DType::kInt16, x.shape(), x.layout()).mutable_data<int16_t>());
}

constexpr OpDef kOps[] = {{.op_type = "EcQuantize", .run = ec_quantize_op, .any_layout = true, .domain = "twofold"}};

}  // namespace

std::span<const OpDef> ec_quantize_ops() { return kOps; }

}  // namespace twofold
