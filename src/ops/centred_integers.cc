#include "ops/centred_integers.h"

#include <algorithm>

#include "base/error.h"
#include "loops/layout.h"
#include "ops/zero_points.h"

namespace twofold {

std::vector<int32_t> read_zero_points(const Tensor* zero_points, const Tensor& operand, const char* operand_name) {
  if (operand.dtype() != DType::kInt8 && operand.dtype() != DType::kUInt8) {
    throw_error(ErrorCode::kInvalidModel, "{} is {}, but must be int8 or uint8", operand_name,
                to_string(operand.dtype()));
  }
  if (zero_points == nullptr) return {0};
  if (zero_points->dtype() != operand.dtype() || zero_points->size() == 0) {
    throw_error(ErrorCode::kInvalidModel, "{} is {}, but its zero points are {} of shape {}", operand_name,
                to_string(operand.dtype()), to_string(zero_points->dtype()), to_string(zero_points->shape()));
  }
  std::vector<int32_t> values = *zero_point_values(to_layout(*zero_points, Layout::kPlain));
  if (std::ranges::all_of(values, [&](int32_t value) { return value == values[0]; })) values.resize(1);
  return values;
}

CentredIntegers centred(const Tensor& operand, const std::vector<int32_t>& zero_points,
                        const std::function<size_t(size_t)>& index, Allocator* allocator) {
  if (zero_points.size() == 1) return {operand, zero_points[0]};
  Tensor above(DType::kInt16, operand.shape(), Layout::kPlain, allocator);
  const std::span<int16_t> out = above.mutable_data<int16_t>();
  const auto subtract = [&](const auto in) {
    for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<int16_t>(in[i] - zero_points[index(i)]);
  };
  if (operand.dtype() == DType::kInt8) {
    subtract(operand.data<int8_t>());
  } else {
    subtract(operand.data<uint8_t>());
  }
  return {above, 0};
}

kernels::OutputForm exact_sum() {
  kernels::OutputForm form{DType::kFloat64, {}, 0, 0, 0};
  form.multiplier.push_back(1);
  return form;
}

}  // namespace twofold
