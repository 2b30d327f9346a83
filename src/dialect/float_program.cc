#include "dialect/float_program.h"

#include <algorithm>

#include "base/error.h"
#include "numeric/integer_limits.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

template <typename T>
const float* load(const StoredForm& form, const void* data, int64_t offset, int64_t n, float* scratch) {
  const auto count = static_cast<size_t>(n);
  dequantize<T>({static_cast<const T*>(data) + offset, count}, form.scale, form.zero_point, {scratch, count});
  return scratch;
}

template <typename T>
void save(const StoredForm& form, const float* values, int64_t rows, int64_t columns, void* data, int64_t row_stride) {
  quantize_rows<T>(values, static_cast<size_t>(rows), static_cast<size_t>(columns), form.scale, form.zero_point,
                   form.low, form.high, static_cast<T*>(data), static_cast<size_t>(row_stride));
}

}  // namespace

void write_forms(Attributes& attributes, const std::string& prefix, const std::vector<StoredForm>& forms) {
  std::vector<int64_t> dtypes, zero_points, lows, highs;
  std::vector<float> scales;
  for (const StoredForm& form : forms) {
    lows.push_back(form.low);
    highs.push_back(form.high);
    dtypes.push_back(static_cast<int64_t>(form.dtype));
    scales.push_back(form.scale);
    zero_points.push_back(form.zero_point);
  }
  attributes.set(prefix + "_dtypes", std::move(dtypes));
  attributes.set(prefix + "_scales", std::move(scales));
  attributes.set(prefix + "_zero_points", std::move(zero_points));
  attributes.set(prefix + "_lows", std::move(lows));
  attributes.set(prefix + "_highs", std::move(highs));
}

std::vector<StoredForm> read_forms(const Attributes& attributes, const std::string& prefix) {
  const auto dtypes = attributes.get_ints(prefix + "_dtypes", {}),
             zero_points = attributes.get_ints(prefix + "_zero_points", {}),
             lows = attributes.get_ints(prefix + "_lows", {}), highs = attributes.get_ints(prefix + "_highs", {});
  const auto scales = attributes.get_floats(prefix + "_scales", {});
  std::vector<StoredForm> forms;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    forms.push_back({static_cast<DType>(dtypes[i]), scales[i], static_cast<int32_t>(zero_points[i]),
                     static_cast<int32_t>(lows[i]), static_cast<int32_t>(highs[i])});
  }
  return forms;
}

StoredForm stored_form(DType dtype, float scale, int32_t zero_point) {
  const auto [low, high] = integer_limits(dtype);
  return {dtype, scale, zero_point, low, high};
}

void FloatProgram::write(Attributes& attributes) const {
  write_steps(attributes, steps);
  write_forms(attributes, "operand", operands);
  write_forms(attributes, kProgramOutputs, outputs);
}

FloatProgram FloatProgram::read(const Attributes& attributes) {
  return {read_steps(attributes), read_forms(attributes, "operand"), read_forms(attributes, kProgramOutputs)};
}

const float* load_stored(const StoredForm& form, const void* data, int64_t offset, int64_t n, float* scratch) {
  switch (form.dtype) {
    case DType::kInt8: return load<int8_t>(form, data, offset, n, scratch);
    case DType::kUInt8: return load<uint8_t>(form, data, offset, n, scratch);
    case DType::kInt16: return load<int16_t>(form, data, offset, n, scratch);
    case DType::kUInt16: return load<uint16_t>(form, data, offset, n, scratch);
    default: return static_cast<const float*>(data) + offset;
  }
}

void save_stored(const StoredForm& form, const float* values, int64_t rows, int64_t columns, void* data,
                 int64_t row_stride) {
  switch (form.dtype) {
    case DType::kInt8: return save<int8_t>(form, values, rows, columns, data, row_stride);
    case DType::kUInt8: return save<uint8_t>(form, values, rows, columns, data, row_stride);
    case DType::kInt16: return save<int16_t>(form, values, rows, columns, data, row_stride);
    case DType::kUInt16: return save<uint16_t>(form, values, rows, columns, data, row_stride);
    default: break;
  }
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(values + r * columns, columns, static_cast<float*>(data) + r * row_stride);
}

void run_step(const FloatStep& step, float* y, int64_t n, const float* x, int64_t x_step) {
  if (const auto* unary = std::get_if<UnaryStep>(&step)) return apply_unary(unary->op, unary->params, y, y, n);
  const auto& binary = std::get<BinaryStep>(step);
  if (binary.operand < 0) {
    x = &binary.value;
    x_step = 0;
  }
  if (binary.reversed) return apply_binary(binary.op, x, x_step, y, 1, y, n);
  apply_binary(binary.op, y, 1, x, x_step, y, n);
}

}  // namespace twofold
