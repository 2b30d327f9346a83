// RNN, GRU and LSTM: the products of their input in float32, with a fixed order of summation, and ops/recurrence.h.
#include "loops/fixed_gemm.h"
#include "loops/strided_copy.h"
#include "ops/cast.h"
#include "ops/families.h"
#include "ops/recurrence.h"

namespace twofold {

namespace {

// Input 1, [directions, gates, input], with the input dimension before the gates.
Tensor transposed_weights(const Tensor& w) {
  const int64_t directions = w.dim(0), gates = w.dim(1), input = w.dim(2);
  Tensor result(DType::kFloat32, {directions, input, gates});
  strided_copy(sizeof(float), {{directions, input * gates, input * gates}, {input, 1, gates}, {gates, input, 1}},
               w.bytes(), result.mutable_bytes());
  return result;
}

template <Cell cell>
void recurrent(OpCall& call) {
  const Recurrence s = read_recurrence(call, cell);
  const Tensor& x = call.input(0);
  const int64_t input = x.dim(2);
  require_shape(call.input(1), {s.directions, s.gates, input}, "W");
  const Tensor w = transposed_weights(call.input(1));
  Tensor wx = call.scratch(DType::kFloat32, {x.dim(0), x.dim(1), s.gates});
  run_recurrence(call, s, [&](int64_t direction) -> InputProducts {
    const float* weights = w.data<float>().data() + direction * input * s.gates;
    float* products = wx.mutable_data<float>().data();
    fixed_gemm<float>(s.steps * s.batch, s.gates, input, x.data<float>().data(), weights, products);
    return {products, s.batch_first ? s.gates : s.batch * s.gates, s.batch_first ? s.steps * s.gates : s.gates};
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "RNN", .run = with_16bit_floats<recurrent<Cell::kRnn>, 2>},
    {.op_type = "GRU", .run = with_16bit_floats<recurrent<Cell::kGru>, 2>},
    {.op_type = "LSTM", .run = with_16bit_floats<recurrent<Cell::kLstm>, 3>},
};

}  // namespace

std::span<const OpDef> rnn_ops() { return kOps; }

}  // namespace twofold
