// EcQuantize of domain "twofold": (x float32, s1 float32 scalar) -> v int16, the joined digits of an ec activation.
#include <algorithm>
#include <array>

#include "base/parallel_for.h"
#include "dialect/families.h"
#include "numeric/ec.h"

namespace twofold {

namespace {

void ec_quantize_op(OpCall& call) {
  const Tensor& x = call.input(0);
  const float s1 = call.input(1).data<float>()[0];
  const std::span<const float> in = x.data<float>();
  const std::span<int16_t> v = call.output(0, DType::kInt16, x.shape(), x.layout()).mutable_data<int16_t>();
  constexpr size_t kBlock = 1024;
  parallel_for(x.size(), 1 << 15, [&](int64_t begin, int64_t end) {
    std::array<int8_t, kBlock> first, second;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); i += kBlock) {
      const size_t count = std::min(kBlock, static_cast<size_t>(end) - i);
      const std::span<int8_t> q1 = std::span(first).first(count), q2 = std::span(second).first(count);
      ec_quantize(in.subspan(i, count), s1, q1, q2);
      ec_join(q1, q2, v.subspan(i, count));
    }
  });
}

constexpr OpDef kOps[] = {{.op_type = "EcQuantize", .run = ec_quantize_op, .any_layout = true, .domain = "twofold"}};

}  // namespace

std::span<const OpDef> ec_quantize_ops() { return kOps; }

}  // namespace twofold
