#include "ops/product_outputs.h"

#include <algorithm>
#include <array>
#include <optional>

#include "ops/elementwise.h"
#include "ops/layout.h"

namespace twofold {

namespace {

// An operand of a float program beside a product: as large as the product, one row for all rows, or one number.
struct Operand {
  enum class Kind : uint8_t { kWhole, kRow, kNumber } kind = Kind::kWhole;
  Tensor tensor;
  StoredForm form;
};

std::optional<Operand::Kind> kind_of(const Tensor& operand, const Shape& product, int channel_axis) {
  if (operand.shape() == product) return Operand::Kind::kWhole;
  if (operand.rank() > static_cast<int>(product.size())) return std::nullopt;
  if (operand.size() == 1) return Operand::Kind::kNumber;
  if (channel_axis < 0) return std::nullopt;
  const int axis = channel_axis - (static_cast<int>(product.size()) - operand.rank());
  if (axis < 0 || operand.dim(axis) != product[static_cast<size_t>(channel_axis)]) return std::nullopt;
  if (operand.size() != operand.dim(axis)) return std::nullopt;
  return Operand::Kind::kRow;
}

// Elements that are in the first-level cache together with the operand they meet.
constexpr int64_t kBlock = 1024;

class ProgramSink final : public kernels::FloatSink {
 public:
  ProgramSink(const FloatProgram& program, std::vector<Operand> operands, int64_t channels,
              std::vector<std::byte*> outputs)
      : program_(program), operands_(std::move(operands)), channels_(channels), outputs_(std::move(outputs)) {}

  void take(float* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
    const int64_t step_rows = std::max<int64_t>(1, kBlock / columns);
    for (int64_t r = 0; r < rows; r += step_rows) {
      take_rows(block + r * columns, row + r, std::min(step_rows, rows - r), column, columns);
    }
  }

 private:
  void take_rows(float* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    for (const FloatStep& step : program_.steps) {
      const int operand = operand_of(step);
      if (operand < 0) {
        run_step(step, block, rows * columns, nullptr, 0);
      } else {
        meet(step, operands_[static_cast<size_t>(operand)], block, {row, rows, column, columns});
      }
    }
    const bool whole_rows = columns == channels_;
    const int64_t runs = whole_rows ? 1 : rows, length = whole_rows ? rows * columns : columns;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      for (int64_t r = 0; r < runs; ++r) {
        save_stored(program_.outputs[i], block + r * columns, length, outputs_[i], (row + r) * channels_ + column);
      }
    }
  }

  struct Part {
    int64_t row, rows, column, columns;
  };

  // Runs a step on a block and the part of an operand that belongs to it.
  void meet(const FloatStep& step, const Operand& operand, float* block, const Part& part) const {
    alignas(64) std::array<float, kBlock> scratch;
    const std::byte* data = operand.tensor.bytes();
    if (operand.kind == Operand::Kind::kNumber) {
      return run_step(step, block, part.rows * part.columns, load_stored(operand.form, data, 0, 1, scratch.data()), 0);
    }
    const bool whole_rows = operand.kind == Operand::Kind::kWhole && part.columns == channels_;
    const int64_t runs = whole_rows ? 1 : part.rows, length = whole_rows ? part.rows * part.columns : part.columns;
    for (int64_t r = 0; r < runs; ++r) {
      const int64_t row = operand.kind == Operand::Kind::kRow ? 0 : part.row + r;
      for (int64_t c = 0; c < length; c += kBlock) {
        const int64_t n = std::min(kBlock, length - c), offset = row * channels_ + part.column + c;
        run_step(step, block + r * part.columns + c, n, load_stored(operand.form, data, offset, n, scratch.data()), 1);
      }
    }
  }

  const FloatProgram& program_;
  const std::vector<Operand> operands_;
  const int64_t channels_;
  const std::vector<std::byte*> outputs_;
};

// The operands as blocks meet them; nothing where one broadcasts otherwise.
std::optional<std::vector<Operand>> read_operands(const FloatProgram& program, const OpCall& call, const Shape& shape,
                                                  int channel_axis, Layout layout) {
  std::vector<Operand> operands;
  for (size_t i = 0; i < program.operands.size(); ++i) {
    const int input = 3 + static_cast<int>(i);
    const Tensor& tensor = call.input(input);
    require_form(tensor, program.operands[i], input);
    const auto kind = kind_of(tensor, shape, channel_axis);
    if (!kind) return std::nullopt;
    const bool whole = *kind == Operand::Kind::kWhole;
    operands.push_back({*kind, whole ? to_layout(tensor, layout) : tensor, program.operands[i]});
  }
  return operands;
}

}  // namespace

ProductOutputs::ProductOutputs(const IntegerProduct& product, OpCall& call, const Shape& shape, int channel_axis,
                               Layout layout)
    : product_(product), call_(call), channels_(channel_axis >= 0 ? shape[static_cast<size_t>(channel_axis)] : 1) {
  const auto allocate = [&](size_t i, DType dtype) {
    return call.output(static_cast<int>(i), dtype, shape, layout).mutable_bytes();
  };
  const FloatProgram& program = product.program;
  if (program.outputs.empty()) {
    for (size_t i = 0; i < product.outputs.size(); ++i) direct_.push_back(allocate(i, product.outputs[i].dtype));
    return;
  }
  std::optional<std::vector<Operand>> operands = read_operands(program, call, shape, channel_axis, layout);
  if (!operands) {
    plain_ = Tensor(DType::kFloat32, shape, layout, call.allocator());
    direct_ = {plain_.mutable_bytes()};
    return;
  }
  std::vector<std::byte*> outputs;
  for (size_t i = 0; i < program.outputs.size(); ++i) outputs.push_back(allocate(i, program.outputs[i].dtype));
  sink_ = std::make_unique<ProgramSink>(program, std::move(*operands), channels_, std::move(outputs));
}

std::vector<kernels::OutputRows> ProductOutputs::places(int64_t first_row) const {
  std::vector<kernels::OutputRows> places;
  for (size_t i = 0; i < direct_.size(); ++i) {
    const size_t bytes = byte_size(product_.outputs[i].dtype);
    places.push_back({direct_[i] + static_cast<size_t>(first_row * channels_) * bytes, channels_});
  }
  return places;
}

void ProductOutputs::finish() {
  if (!plain_.defined()) return;
  std::vector<const Tensor*> inputs = {&plain_};
  for (int i = 3; i < call_.num_inputs(); ++i) inputs.push_back(&call_.input(i));
  run_elementwise(product_.program, {}, inputs, call_);
}

}  // namespace twofold
