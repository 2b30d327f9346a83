// The functions of the dialect's LSTM, GRU and RNN (recurrence_node.h).
#include "ops/recurrence.h"

#include "dialect/domain.h"
#include "dialect/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

template <Cell cell>
void run_steps(OpCall& call) {
  const Recurrence s = read_recurrence(call, cell);
  const Tensor& wx = call.input(0);
  const int64_t row = s.directions * s.gates;
  require_shape(wx, {wx.dim(0), wx.dim(1), row}, "W·X");
  run_recurrence(call, s, [&](int64_t direction) -> InputProducts {
    return {wx.data<float>().data() + direction * s.gates, s.batch_first ? row : s.batch * row,
            s.batch_first ? s.steps * row : row};
  });
}

constexpr OpDef kOps[] = {
    {.op_type = op::kRnn, .run = run_steps<Cell::kRnn>, .domain = kDialect},
    {.op_type = op::kGru, .run = run_steps<Cell::kGru>, .domain = kDialect},
    {.op_type = op::kLstm, .run = run_steps<Cell::kLstm>, .domain = kDialect},
};

}  // namespace

std::span<const OpDef> recurrence_ops() { return kOps; }

}  // namespace twofold
