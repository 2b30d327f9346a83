// twofold.Table: y = table[x] for 8- or 16-bit integers x, what lowering makes of a function between DequantizeLinear
// and QuantizeLinear. Inputs: x, and the table, a constant with an entry for each value of x's type, in ascending
// order.
#include "base/parallel_for.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 15;

// `lowest` is subtracted from x: the entries of a signed type begin with its smallest value.
template <typename X, typename Y>
void look_up(const Tensor& x, const Y* table, Y* out) {
  const X* in = x.data<X>().data();
  const Y* entries = table - std::numeric_limits<X>::min();
  parallel_for(x.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = entries[in[i]];
  });
}

template <typename X>
void look_up(OpCall& call) {
  const Tensor &x = call.input(0), &table = call.input(1);
  if (table.size() != int64_t{1} << (8 * sizeof(X))) {
    throw_error(ErrorCode::kInvalidModel, "the table has {} entries", table.size());
  }
  Tensor& y = call.output(0, table.dtype(), x.shape(), x.layout());
  // Signed and unsigned entries are moved alike.
  if (byte_size(table.dtype()) == 1) {
    look_up<X>(x, reinterpret_cast<const uint8_t*>(table.bytes()), reinterpret_cast<uint8_t*>(y.mutable_bytes()));
  } else {
    look_up<X>(x, reinterpret_cast<const uint16_t*>(table.bytes()), reinterpret_cast<uint16_t*>(y.mutable_bytes()));
  }
}

void table(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kInt8: return look_up<int8_t>(call);
    case DType::kUInt8: return look_up<uint8_t>(call);
    case DType::kInt16: return look_up<int16_t>(call);
    case DType::kUInt16: return look_up<uint16_t>(call);
    default:
      throw_error(ErrorCode::kInvalidModel, "input 0 is {}, not an 8- or 16-bit integer",
                  to_string(call.input(0).dtype()));
  }
}

constexpr OpDef kOps[] = {
    {.op_type = "Table", .run = table, .any_layout = true, .domain = "twofold"},
};

}  // namespace

std::span<const OpDef> table_ops() { return kOps; }

}  // namespace twofold
