#include "dialect/float_program.h"

#include <algorithm>

#include "base/error.h"
#include "numeric/integer_limits.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

constexpr int64_t kBinary = 1000;  // in step_ops: binary operators are numbered from here on

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
  std::vector<int64_t> ops, operands_of_steps, reversed;
  std::vector<float> numbers;
  for (const FloatStep& step : steps) {
    if (const auto* unary = std::get_if<UnaryStep>(&step)) {
      ops.push_back(static_cast<int64_t>(unary->op));
      operands_of_steps.push_back(-1);
      reversed.push_back(0);
      numbers.insert(numbers.end(), {unary->params.alpha, unary->params.beta, unary->params.gamma});
    } else {
      const auto& binary = std::get<BinaryStep>(step);
      ops.push_back(kBinary + static_cast<int64_t>(binary.op));
      operands_of_steps.push_back(binary.operand);
      reversed.push_back(binary.reversed ? 1 : 0);
      numbers.insert(numbers.end(), {binary.value, 0.0F, 0.0F});
    }
  }
  attributes.set("step_ops", std::move(ops));
  attributes.set("step_operands", std::move(operands_of_steps));
  attributes.set("step_reversed", std::move(reversed));
  attributes.set("step_numbers", std::move(numbers));
  write_forms(attributes, "operand", operands);
  write_forms(attributes, kProgramOutputs, outputs);
}

FloatProgram FloatProgram::read(const Attributes& attributes) {
  FloatProgram program;
  const auto ops = attributes.get_ints("step_ops", {}), operands_of_steps = attributes.get_ints("step_operands", {}),
             reversed = attributes.get_ints("step_reversed", {});
  const auto numbers = attributes.get_floats("step_numbers", {});
  for (size_t i = 0; i < ops.size(); ++i) {
    if (ops[i] < kBinary) {
      program.steps.push_back(
          UnaryStep{static_cast<UnaryOp>(ops[i]), {numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]}});
    } else {
      program.steps.push_back(BinaryStep{static_cast<BinaryOp>(ops[i] - kBinary), reversed[i] != 0,
                                         static_cast<int>(operands_of_steps[i]), numbers[3 * i]});
    }
  }
  program.operands = read_forms(attributes, "operand");
  program.outputs = read_forms(attributes, kProgramOutputs);
  return program;
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

int operand_of(const FloatStep& step) {
  const auto* binary = std::get_if<BinaryStep>(&step);
  return binary != nullptr ? binary->operand : -1;
}

}  // namespace twofold
