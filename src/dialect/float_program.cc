#include "dialect/float_program.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "numeric/integer_limits.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

// The prefixes of a program's forms.
constexpr const char* kOperands = "operand";
constexpr const char* kOutputs = "output";

// The lists that make up one of forms.
struct FormNames {
  std::string dtypes, scales, zero_points, lows, highs;

  explicit FormNames(const std::string& prefix)
      : dtypes(prefix + "_dtypes"),
        scales(prefix + "_scales"),
        zero_points(prefix + "_zero_points"),
        lows(prefix + "_lows"),
        highs(prefix + "_highs") {}
};

[[noreturn]] void throw_misfit(std::string_view attribute) {
  throw_error(ErrorCode::kInvalidModel, "attribute '{}' does not fit those beside it", attribute);
}

void check_count(std::string_view attribute, size_t count, size_t expected) {
  if (count == expected) return;
  throw_error(ErrorCode::kInvalidModel, "attribute '{}' has {} entries, but must have {}", attribute, count, expected);
}

void check_form(const StoredForm& form, const FormNames& names) {
  if (form.dtype == DType::kFloat32 || form.dtype == DType::kFloat64) return;
  if (!is_operand_type(form.dtype)) throw_misfit(names.dtypes);
  const auto [least, most] = integer_limits(form.dtype);
  const auto fits = [least = least, most = most](int32_t number) { return number >= least && number <= most; };
  if (!(form.scale > 0) || !std::isfinite(form.scale)) throw_misfit(names.scales);
  if (!fits(form.zero_point)) throw_misfit(names.zero_points);
  if (!fits(form.low) || form.low > form.high) throw_misfit(names.lows);
  if (!fits(form.high)) throw_misfit(names.highs);
}

// float64 is for accumulators alone.
void check_no_doubles(const std::vector<StoredForm>& forms, const char* prefix) {
  if (std::ranges::any_of(forms, [](const StoredForm& form) { return form.dtype == DType::kFloat64; })) {
    throw_misfit(FormNames(prefix).dtypes);
  }
}

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
  FormNames names(prefix);
  attributes.set(std::move(names.dtypes), std::move(dtypes));
  attributes.set(std::move(names.scales), std::move(scales));
  attributes.set(std::move(names.zero_points), std::move(zero_points));
  attributes.set(std::move(names.lows), std::move(lows));
  attributes.set(std::move(names.highs), std::move(highs));
}

std::vector<StoredForm> read_forms(const Attributes& attributes, const std::string& prefix) {
  const FormNames names(prefix);
  const auto dtypes = attributes.get_ints(names.dtypes, {}), zero_points = attributes.get_ints(names.zero_points, {}),
             lows = attributes.get_ints(names.lows, {}), highs = attributes.get_ints(names.highs, {});
  const auto scales = attributes.get_floats(names.scales, {});
  check_count(names.scales, scales.size(), dtypes.size());
  check_count(names.zero_points, zero_points.size(), dtypes.size());
  check_count(names.lows, lows.size(), dtypes.size());
  check_count(names.highs, highs.size(), dtypes.size());
  std::vector<StoredForm> forms;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    forms.push_back({static_cast<DType>(dtypes[i]), scales[i], static_cast<int32_t>(zero_points[i]),
                     static_cast<int32_t>(lows[i]), static_cast<int32_t>(highs[i])});
    check_form(forms.back(), names);
  }
  return forms;
}

StoredForm stored_form(DType dtype, float scale, int32_t zero_point) {
  const auto [low, high] = integer_limits(dtype);
  return {dtype, scale, zero_point, low, high};
}

void FloatProgram::write(Attributes& attributes) const {
  write_steps(attributes, steps);
  write_forms(attributes, kOperands, operands);
  write_forms(attributes, kOutputs, outputs);
}

void FloatProgram::erase(Attributes& attributes) {
  erase_steps(attributes);
  for (const char* prefix : {kOperands, kOutputs}) {
    const FormNames names(prefix);
    for (const std::string* name : {&names.dtypes, &names.scales, &names.zero_points, &names.lows, &names.highs}) {
      attributes.erase(*name);
    }
  }
}

std::optional<FloatProgram> FloatProgram::read(const Attributes& attributes) {
  FloatProgram program{read_steps(attributes), read_forms(attributes, kOperands), read_forms(attributes, kOutputs)};
  if (program.outputs.empty()) {
    if (!program.empty()) throw_error(ErrorCode::kInvalidModel, "the program has no output");
    return std::nullopt;
  }
  check_no_doubles(program.operands, kOperands);
  check_no_doubles(program.outputs, kOutputs);
  for (const FloatStep& step : program.steps) {
    if (operand_of(step) < static_cast<int>(program.operands.size())) continue;
    throw_error(ErrorCode::kInvalidModel, "a step reads operand {} of {}", operand_of(step), program.operands.size());
  }
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

}  // namespace twofold
