// twofold.Table: y = table[x] for 8- or 16-bit integers x, what lowering makes of a function between DequantizeLinear
// and QuantizeLinear. Inputs: x, and the table, a constant with an entry for each value of x's type, in ascending
// order. Attribute least_rank: the result has at least that many dimensions, of size 1 in front.
#include <array>
#include <limits>

#include "base/parallel_for.h"
#include "dialect/families.h"
#include "loops/byte_table.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 15;

// The entries of a signed type begin with its smallest value; here, with that of the bits 0.
template <typename X>
std::array<uint8_t, 256> in_order_of_bits(const uint8_t* table) {
  std::array<uint8_t, 256> result;
  for (size_t bits = 0; bits < 256; ++bits) result[bits] = table[static_cast<X>(bits) - std::numeric_limits<X>::min()];
  return result;
}

void look_up_in_parallel(const Tensor& x, const std::array<uint8_t, 256>& table, uint8_t* out) {
  const auto* in = reinterpret_cast<const uint8_t*>(x.bytes());
  parallel_for(x.size(), kGrain,
               [&](int64_t begin, int64_t end) { look_up_bytes(table.data(), in + begin, end - begin, out + begin); });
}

template <typename X, typename Y>
void look_up(const Tensor& x, const Y* table, Y* out) {
  const X* in = x.data<X>().data();
  if constexpr (sizeof(X) == 1 && sizeof(Y) == 1) return look_up_in_parallel(x, in_order_of_bits<X>(table), out);
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
  Shape shape = x.shape();
  const auto rank = static_cast<size_t>(call.attributes().get_int("least_rank", 0));
  if (shape.size() < rank) shape.insert(shape.begin(), rank - shape.size(), 1);
  Tensor& y = call.output(0, table.dtype(), std::move(shape), x.layout());
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
