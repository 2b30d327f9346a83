#include "dialect/product_outputs.h"

#include <optional>

#include "dialect/elementwise.h"
#include "dialect/program_block.h"
#include "loops/layout.h"

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

class ProgramSink final : public kernels::BlockSink {
 public:
  ProgramSink(const StoredForm& source, const FloatProgram& program, std::vector<Operand> operands, int64_t channels,
              std::vector<std::byte*> outputs)
      : source_(source),
        program_(program),
        operands_(std::move(operands)),
        channels_(channels),
        outputs_(std::move(outputs)) {}

  void take(std::byte* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
    std::vector<BlockOperand> operands;
    for (const Operand& operand : operands_) {
      const bool whole = operand.kind == Operand::Kind::kWhole, number = operand.kind == Operand::Kind::kNumber;
      const int64_t row_stride = whole ? channels_ : 0, step = number ? 0 : 1;
      operands.push_back({&operand.form, operand.tensor.bytes(), row * row_stride + column * step, row_stride, step});
    }
    std::vector<BlockPlace> places;
    for (size_t i = 0; i < outputs_.size(); ++i)
      places.push_back({&program_.outputs[i], outputs_[i], row * channels_ + column, channels_});
    if (source_.dtype == DType::kFloat32) {
      run_block(program_, reinterpret_cast<float*>(block), rows, columns, operands, places);
    } else {
      run_block(program_, BlockOperand{&source_, block, 0, columns, 1}, rows, columns, operands, places);
    }
  }

 private:
  const StoredForm& source_;
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
  const std::vector<StoredForm>& forms = product.node.outputs;
  if (!product.node.program) {
    for (size_t i = 0; i < forms.size(); ++i) direct_.push_back(allocate(i, forms[i].dtype));
    return;
  }
  const FloatProgram& program = *product.node.program;
  std::optional<std::vector<Operand>> operands = read_operands(program, call, shape, channel_axis, layout);
  if (!operands) {
    plain_ = Tensor(forms[0].dtype, shape, layout, call.allocator());
    direct_ = {plain_.mutable_bytes()};
    return;
  }
  std::vector<std::byte*> outputs;
  for (size_t i = 0; i < program.outputs.size(); ++i) outputs.push_back(allocate(i, program.outputs[i].dtype));
  sink_ = std::make_unique<ProgramSink>(forms[0], program, std::move(*operands), channels_, std::move(outputs));
}

std::vector<kernels::OutputRows> ProductOutputs::places(int64_t first_row) const {
  std::vector<kernels::OutputRows> places;
  for (size_t i = 0; i < direct_.size(); ++i) {
    const size_t bytes = byte_size(product_.node.outputs[i].dtype);
    places.push_back({direct_[i] + static_cast<size_t>(first_row * channels_) * bytes, channels_});
  }
  return places;
}

void ProductOutputs::finish() {
  if (!plain_.defined()) return;
  std::vector<const Tensor*> inputs = {&plain_};
  for (int i = 3; i < call_.num_inputs(); ++i) inputs.push_back(&call_.input(i));
  run_elementwise(*product_.node.program, product_.node.outputs[0], inputs, call_);
}

}  // namespace twofold
