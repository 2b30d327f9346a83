// MaxUnpool (ONNX opset 22): writes each value to the position its MaxPool index names, and 0 elsewhere.
#include <algorithm>

#include "ops/families.h"
#include "ops/window.h"

namespace twofold {

namespace {

// The shape that the indices count in: the input of the pool as its attributes let one infer it.
Shape inferred_shape(const OpCall& call, const Shape& x) {
  const int spatial = spatial_rank(x, "input X");
  const WindowAttributes window = WindowAttributes::read(call.attributes()).with_rank(spatial, {});
  Shape shape = x;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    shape[i + 2] =
        (x[i + 2] - 1) * window.strides[i] + window.kernel[i] - window.pads[i] - window.pads[i + window.kernel.size()];
  }
  return shape;
}

Shape output_shape(const OpCall& call, const Shape& inferred) {
  if (!call.has_input(2)) return inferred;
  const std::span<const int64_t> asked = call.input(2).data<int64_t>();
  Shape shape(asked.begin(), asked.end());
  bool fits = shape.size() == inferred.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] >= inferred[i];
  if (!fits) {
    throw_error(ErrorCode::kInvalidModel, "output_shape {} is smaller than {}, which the indices count in",
                to_string(shape), to_string(inferred));
  }
  return shape;
}

void max_unpool(OpCall& call) {
  const Tensor &x = call.input(0), &indices = call.input(1);
  if (indices.shape() != x.shape()) {
    throw_error(ErrorCode::kInvalidModel, "inputs X {} and I {} must have one shape", to_string(x.shape()),
                to_string(indices.shape()));
  }
  const Shape inferred = inferred_shape(call, x.shape());
  const int64_t limit = num_elements(inferred);
  const Shape shape = output_shape(call, inferred);
  const std::span<const float> values = x.data<float>();
  const std::span<const int64_t> positions = indices.data<int64_t>();
  const std::span<float> out = call.output(0, DType::kFloat32, shape).mutable_data<float>();
  std::fill(out.begin(), out.end(), 0.0F);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t rest = positions[i];
    if (rest < 0 || rest >= limit) {
      throw_error(ErrorCode::kInvalidModel, "index {} is out of range for shape {}", rest, to_string(inferred));
    }
    int64_t at = 0, stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      at += rest % inferred[d] * stride;
      rest /= inferred[d];
      stride *= shape[d];
    }
    out[static_cast<size_t>(at)] = values[i];
  }
}

constexpr OpDef kOps[] = {{.op_type = "MaxUnpool", .run = max_unpool}};

}  // namespace

std::span<const OpDef> max_unpool_ops() { return kOps; }

}  // namespace twofold
