#include "dialect/integer_product.h"

#include "numeric/integer_limits.h"

namespace twofold {

namespace {

kernels::MatrixView view(const Tensor& tensor, int32_t zero_point, int64_t offset, int64_t rows, int64_t columns,
                         int64_t row_stride, int64_t column_stride) {
  return {.dtype = tensor.dtype(),
          .data = tensor.bytes() + static_cast<size_t>(offset) * byte_size(tensor.dtype()),
          .rows = rows,
          .columns = columns,
          .row_stride = row_stride,
          .column_stride = column_stride,
          .zero_point = zero_point};
}

kernels::OutputForm output_form(const StoredForm& output, float a_scale, std::span<const float> b_scale) {
  kernels::OutputForm form{output.dtype, {}, output.zero_point, output.low, output.high};
  for (const float scale : b_scale) {
    const double unit = static_cast<double>(a_scale) * scale;
    form.multiplier.push_back(output.dtype == DType::kFloat64   ? 1
                              : output.dtype == DType::kFloat32 ? unit
                                                                : unit / output.scale);
  }
  return form;
}

}  // namespace

IntegerProduct::IntegerProduct(const KernelArgs& args) : node(ProductNode::read(args.node)) {
  for (const StoredForm& output : node.outputs) output_forms.push_back(output_form(output, node.a_scale, node.b_scale));
  if (node.bias == kNone) return;
  const Tensor* constant = args.constants.size() > 2 ? args.constants[2] : nullptr;
  if (constant == nullptr) throw_error(ErrorCode::kInvalidModel, "the bias is not a constant");
  const std::span<const int64_t> values = constant->data<int64_t>();
  bias.assign(values.begin(), values.end());
}

kernels::MatrixView IntegerProduct::view_a(const Tensor& a, int64_t offset, int64_t rows, int64_t columns,
                                           int64_t row_stride, int64_t column_stride) const {
  if (a.dtype() != node.a_dtype) {
    throw_error(ErrorCode::kInvalidModel, "input 0 is {}, but its zero point is {}", to_string(a.dtype()),
                to_string(node.a_dtype));
  }
  return view(a, node.a_zero_point, offset, rows, columns, row_stride, column_stride);
}

kernels::MatrixView IntegerProduct::view_b(const Tensor& b, int64_t offset, int64_t rows, int64_t columns,
                                           int64_t row_stride, int64_t column_stride) const {
  const DType dtype = b.dtype();
  if (!is_operand_type(dtype)) {
    throw_error(ErrorCode::kInvalidModel, "input 1 is {}, not an 8- or 16-bit integer", to_string(dtype));
  }
  return view(b, node.b_zero_point, offset, rows, columns, row_stride, column_stride);
}

void IntegerProduct::check_channels(int64_t channels) const {
  const auto check = [&](size_t count, const char* what) {
    if (count <= 1 || static_cast<int64_t>(count) == channels) return;
    throw_error(ErrorCode::kInvalidModel, "the {} has {} elements, but the output has {} channels", what, count,
                channels);
  };
  check(bias.size(), "bias");
}

}  // namespace twofold
