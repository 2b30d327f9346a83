#include "ops/elementwise.h"

#include <algorithm>
#include <array>

#include "ops/broadcast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;
// Elements that are in the first-level cache together with the operand they meet.
constexpr int64_t kBlock = 1024;

class Runner {
 public:
  Runner(const FloatProgram& program, const StoredForm& first, const Broadcast& plan, std::vector<std::byte*> outputs)
      : program_(program), first_(first), plan_(plan), outputs_(std::move(outputs)) {}

  void run(const BroadcastRun& run) const {
    alignas(64) std::array<float, kBlock> y, x;
    for (int64_t start = 0; start < run.size; start += kBlock) {
      const int64_t n = std::min(kBlock, run.size - start);
      if (plan_.step(0) == 1) {
        const float* values = load_stored(first_, data(0), run.in[0] + start, n, y.data());
        if (values != y.data()) std::copy_n(values, n, y.data());
      } else {
        std::fill_n(y.data(), n, *load_stored(first_, data(0), run.in[0], 1, y.data()));
      }
      for (const FloatStep& step : program_.steps) {
        const int operand = operand_of(step);
        const float* values = nullptr;
        int64_t stride = 0;
        if (operand >= 0) {
          const auto i = static_cast<size_t>(operand);
          stride = plan_.step(i + 1);
          values = load_stored(program_.operands[i], data(i + 1), run.in[i + 1] + stride * start, stride == 1 ? n : 1,
                               x.data());
        }
        run_step(step, y.data(), n, values, stride);
      }
      for (size_t i = 0; i < outputs_.size(); ++i) {
        save_stored(program_.outputs[i], y.data(), n, outputs_[i], run.out + start);
      }
    }
  }

 private:
  const std::byte* data(size_t input) const { return plan_.inputs[input].bytes(); }

  const FloatProgram& program_;
  const StoredForm& first_;
  const Broadcast& plan_;
  const std::vector<std::byte*> outputs_;
};

class ElementwiseKernel final : public Kernel {
 public:
  explicit ElementwiseKernel(const KernelArgs& args)
      : program_(FloatProgram::read(args.node.attributes)), first_(read_first(args.node.attributes)) {}

  void run(OpCall& call) const override {
    std::vector<const Tensor*> inputs;
    for (int i = 0; i < call.num_inputs(); ++i) inputs.push_back(&call.input(i));
    run_elementwise(program_, first_, inputs, call);
  }

 private:
  static StoredForm read_first(const Attributes& attributes) {
    return stored_form(static_cast<DType>(attributes.get_int("x_dtype")), attributes.get_float("x_scale", 1),
                       static_cast<int32_t>(attributes.get_int("x_zero_point", 0)));
  }

  const FloatProgram program_;
  const StoredForm first_;
};

std::unique_ptr<Kernel> make_elementwise(const KernelArgs& args) { return std::make_unique<ElementwiseKernel>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "Elementwise", .make = make_elementwise, .any_layout = true, .domain = "twofold"},
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
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) { runner.run(run); });
}

std::span<const OpDef> elementwise_ops() { return kOps; }

}  // namespace twofold
