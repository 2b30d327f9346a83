#include "dialect/elementwise.h"

#include <array>

#include "dialect/domain.h"
#include "dialect/elementwise_node.h"
#include "dialect/families.h"
#include "dialect/program_block.h"
#include "loops/broadcast.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;
class Runner {
 public:
  Runner(const FloatProgram& program, const StoredForm& first, const Broadcast& plan, std::vector<std::byte*> outputs)
      : program_(program), first_(first), plan_(plan), outputs_(std::move(outputs)) {}

  void run(const BroadcastBlock& block) const {
    const auto operand = [&](size_t input, const StoredForm& form) {
      return BlockOperand{&form, plan_.inputs[input].bytes(), block.in[input], block.row_strides[input],
                          plan_.step(input)};
    };
    std::array<BlockOperand, kMaxBroadcastInputs> operands;
    for (size_t i = 0; i < program_.operands.size(); ++i) operands[i] = operand(i + 1, program_.operands[i]);
    std::vector<BlockPlace> places;
    for (size_t i = 0; i < outputs_.size(); ++i)
      places.push_back({&program_.outputs[i], outputs_[i], block.out, block.columns});
    run_block(program_, operand(0, first_), block.rows, block.columns,
              std::span(operands).first(program_.operands.size()), places);
  }

 private:
  const FloatProgram& program_;
  const StoredForm& first_;
  const Broadcast& plan_;
  const std::vector<std::byte*> outputs_;
};

class ElementwiseKernel final : public Kernel {
 public:
  explicit ElementwiseKernel(const KernelArgs& args) : node_(ElementwiseNode::read(args.node)) {}

  void run(OpCall& call) const override {
    std::vector<const Tensor*> inputs;
    for (int i = 0; i < call.num_inputs(); ++i) inputs.push_back(&call.input(i));
    run_elementwise(node_.program, node_.source, inputs, call);
  }

 private:
  const ElementwiseNode node_;
};

std::unique_ptr<Kernel> make_elementwise(const KernelArgs& args) { return std::make_unique<ElementwiseKernel>(args); }

constexpr OpDef kOps[] = {
    {.op_type = ElementwiseNode::kOpType, .make = make_elementwise, .any_layout = true, .domain = kDialect},
};

}  // namespace

void require_form(const Tensor& tensor, const StoredForm& form, int input) {
  if (tensor.dtype() == form.dtype) return;
  throw_error(ErrorCode::kInvalidModel, "input {} is {}, but must be {}", input, to_string(tensor.dtype()),
              to_string(form.dtype));
}

void run_elementwise(const FloatProgram& program, const StoredForm& first, std::span<const Tensor* const> inputs,
                     OpCall& call) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    require_form(*inputs[i], i == 0 ? first : program.operands[i - 1], static_cast<int>(i));
  }
  const Broadcast plan = broadcast(inputs);
  std::vector<std::byte*> outputs;
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    Tensor& y = call.output(static_cast<int>(i), program.outputs[i].dtype, plan.shape, plan.layout);
    outputs.push_back(y.mutable_bytes());
  }
  const Runner runner(program, first, plan, std::move(outputs));
  for_each_block(plan, kGrain, kProgramBlock, [&](const BroadcastBlock& block) { runner.run(block); });
}

std::span<const OpDef> elementwise_ops() { return kOps; }

}  // namespace twofold
