// The kernel of Table (table_node.h).
#include <array>
#include <limits>
#include <optional>

#include "base/parallel_for.h"
#include "dialect/domain.h"
#include "dialect/families.h"
#include "dialect/table_node.h"
#include "loops/byte_table.h"
#include "numeric/integer_limits.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 15;

using ByteTable = std::array<uint8_t, 256>;

// The entries of int8 numbers begin with that of the smallest; here, with that of the bits 0.
ByteTable in_order_of_bits(const std::byte* entries) {
  ByteTable result;
  for (size_t bits = 0; bits < 256; ++bits) result[bits] = static_cast<uint8_t>(entries[bits ^ 0x80]);
  return result;
}

void look_up_in_parallel(const Tensor& x, const uint8_t* table, std::byte* out) {
  const auto* in = reinterpret_cast<const uint8_t*>(x.bytes());
  auto* to = reinterpret_cast<uint8_t*>(out);
  parallel_for(x.size(), kGrain,
               [&](int64_t begin, int64_t end) { look_up_bytes(table, in + begin, end - begin, to + begin); });
}

template <typename X, typename Y>
void look_up_in_parallel(const Tensor& x, const Tensor& table, std::byte* out) {
  const X* in = x.data<X>().data();
  // Signed and unsigned entries are moved alike.
  const Y* entries = reinterpret_cast<const Y*>(table.bytes()) - std::numeric_limits<X>::min();
  Y* to = reinterpret_cast<Y*>(out);
  parallel_for(x.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = entries[in[i]];
  });
}

template <typename X>
void look_up_words(const Tensor& x, const Tensor& table, std::byte* out) {
  if (byte_size(table.dtype()) == 1) return look_up_in_parallel<X, uint8_t>(x, table, out);
  look_up_in_parallel<X, uint16_t>(x, table, out);
}

class TableKernel final : public Kernel {
 public:
  explicit TableKernel(const KernelArgs& args)
      : least_rank_(static_cast<size_t>(TableNode::read(args.node).least_rank)) {
    const Tensor* table = args.constants[1];
    if (table == nullptr) throw_error(ErrorCode::kInvalidModel, "the table is not a constant");
    if (!is_operand_type(table->dtype()) || table->rank() != 1) {
      throw_error(ErrorCode::kInvalidModel, "the table is {} {}, not a vector of 8- or 16-bit integers",
                  to_string(table->dtype()), to_string(table->shape()));
    }
    if (byte_size(table->dtype()) == 1 && table->size() == 256) for_int8_ = in_order_of_bits(table->bytes());
  }

  void run(OpCall& call) const override {
    const Tensor &x = call.input(0), &table = call.input(1);
    if (!is_operand_type(x.dtype())) {
      throw_error(ErrorCode::kInvalidModel, "input 0 is {}, not an 8- or 16-bit integer", to_string(x.dtype()));
    }
    if (table.size() != int64_t{1} << (8 * byte_size(x.dtype()))) {
      throw_error(ErrorCode::kInvalidModel, "the table has {} entries", table.size());
    }
    Shape shape = x.shape();
    if (shape.size() < least_rank_) shape.insert(shape.begin(), least_rank_ - shape.size(), 1);
    std::byte* out = call.output(0, table.dtype(), std::move(shape), x.layout()).mutable_bytes();
    const bool bytes = byte_size(table.dtype()) == 1;
    switch (x.dtype()) {
      case DType::kInt8:
        return bytes ? look_up_in_parallel(x, for_int8_->data(), out) : look_up_words<int8_t>(x, table, out);
      case DType::kUInt8:
        return bytes ? look_up_in_parallel(x, reinterpret_cast<const uint8_t*>(table.bytes()), out)
                     : look_up_words<uint8_t>(x, table, out);
      case DType::kInt16: return look_up_words<int16_t>(x, table, out);
      default: return look_up_words<uint16_t>(x, table, out);
    }
  }

 private:
  const size_t least_rank_;
  std::optional<ByteTable> for_int8_;  // of 256 bytes
};

std::unique_ptr<Kernel> make_table(const KernelArgs& args) { return std::make_unique<TableKernel>(args); }

constexpr OpDef kOps[] = {
    {.op_type = TableNode::kOpType, .make = make_table, .any_layout = true, .domain = kDialect},
};

}  // namespace

std::span<const OpDef> table_ops() { return kOps; }

}  // namespace twofold
