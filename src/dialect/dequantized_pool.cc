// The function of the dialect's GlobalAveragePool (dequantized_pool_node.h).
#include "dialect/dequantized_pool_node.h"
#include "dialect/domain.h"
#include "dialect/families.h"
#include "numeric/quantize.h"
#include "ops/global_pool.h"

namespace twofold {

namespace {

template <typename T>
void average_dequantized(OpCall& call) {
  const std::span<const T> q = call.input(0).data<T>();
  for (const int i : {1, 2}) {
    if (!call.has_input(i) || call.input(i).size() == 1) continue;
    throw_error(ErrorCode::kInvalidModel, "input {} has {} elements, not one for all", i, call.input(i).size());
  }
  const float scale = call.input(1).data<float>()[0];
  const int32_t zero_point = call.has_input(2) ? static_cast<int32_t>(call.input(2).data<T>()[0]) : 0;
  global_average(call, [&](int64_t offset, int64_t n, float* scratch) -> const float* {
    const auto count = static_cast<size_t>(n);
    dequantize<T>(q.subspan(static_cast<size_t>(offset), count), scale, zero_point, {scratch, count});
    return scratch;
  });
}

void run_dequantized_average_pool(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kInt8: return average_dequantized<int8_t>(call);
    case DType::kUInt8: return average_dequantized<uint8_t>(call);
    case DType::kInt16: return average_dequantized<int16_t>(call);
    case DType::kUInt16: return average_dequantized<uint16_t>(call);
    default: throw_error(ErrorCode::kUnsupported, "pooling {} is not supported", to_string(call.input(0).dtype()));
  }
}

constexpr OpDef kOps[] = {
    {.op_type = DequantizedPoolNode::kOpType,
     .run = run_dequantized_average_pool,
     .any_layout = true,
     .domain = kDialect},
};

}  // namespace

std::span<const OpDef> dequantized_pool_ops() { return kOps; }

}  // namespace twofold
