#include "debug/observe_tensors.h"

#include "base/cancellation.h"
#include "engine/executor.h"
#include "loops/layout.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"

namespace twofold {

void observe_tensors(CalibratedModel& model, const std::set<ValueId>& values,
                     const std::function<void(ValueId value, const Tensor& tensor)>& on_tensor) {
  std::vector<ValueId> computed;
  for (const ValueId value : values) {
    const Tensor* constant = model.graph().constant(value);
    if (constant == nullptr) {
      computed.push_back(value);
    } else if (constant->dtype() == DType::kFloat32) {
      on_tensor(value, *constant);
    }
  }
  if (computed.empty()) return;
  const Executor executor(model.graph(), {.threads = model.threads(), .watched = computed});
  SearchSamples& samples = model.samples();
  for (size_t i = 0; i < samples.size(); ++i) {
    throw_if_cancelled();
    executor.run(samples.inputs(i), [&](ValueId value, const Tensor& tensor) {
      if (tensor.dtype() == DType::kFloat32) on_tensor(value, to_layout(tensor, Layout::kPlain));
    });
  }
}

int channel_axis(const Graph& graph, const Node& reader, int input, int rank) {
  if (rank < 2) return rank == 1 && graph.constant(reader.input(input)) != nullptr ? 0 : -1;
  if (graph.constant(reader.input(input)) != nullptr) {
    const int axis = output_channel_axis(reader, input, rank);
    if (axis >= 0) return axis;
  }
  // The second operand's rows meet the columns of the first.
  if (reader.is(op::kMatMul)) return input == 0 ? rank - 1 : rank - 2;
  return reader.is(op::kGemm) || rank == 3 ? rank - 1 : 1;
}

}  // namespace twofold
