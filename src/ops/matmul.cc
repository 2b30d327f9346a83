// MatMul (ONNX opset 13) with NumPy's rules for vectors and stacks of matrices.
#include "loops/matmul_loop.h"
#include "loops/matrix_stack.h"
#include "ops/families.h"
#include "ops/fused_matmul.h"
#include "ops/packed_matmul.h"
#include "ops/stacked_matmul.h"

namespace twofold {

namespace {

template <typename T>
void multiply_all(const MatrixProduct& p, const Tensor& a, const Tensor& b, Tensor& y) {
  const T* left = a.data<T>().data();
  const T* right = b.data<T>().data();
  T* out = y.mutable_data<T>().data();
  for_each_product(p, [&](const MatrixProduct::Offsets& at) {
    multiply_loop<T>(p.m, p.n, p.k, {left + at.a, p.a.row_stride(), p.a.column_stride()},
                     {right + at.b, p.b.row_stride(), p.b.column_stride()}, out + at.y, p.y.row_stride(),
                     p.y.column_stride());
  });
}

// Whether a constant B is one float matrix, whatever dimensions of 1 stand before it.
bool is_one_matrix(const Tensor& b) {
  return b.dtype() == DType::kFloat32 && b.rank() >= 2 && b.size() > 0 &&
         b.size() == b.dim(b.rank() - 2) * b.dim(b.rank() - 1);
}

class MatMulKernel final : public Kernel {
 public:
  explicit MatMulKernel(const KernelArgs& args)
      : form_(FusedMatMul::read(args.node.attributes)), computed_(form_.alpha, false) {
    const Tensor* b = args.constants.size() > 1 ? args.constants[1] : nullptr;
    const Tensor* bias = args.constants.size() > 2 ? args.constants[2] : nullptr;
    const FloatSteps steps = read_steps(args.node.attributes);
    const bool plain =
        form_.orders.a.empty() && form_.orders.b.empty() && form_.orders.y.empty() && form_.alpha == 1.0F;
    if (plain && b != nullptr && is_one_matrix(*b)) {
      const Shape matrix(b->shape().end() - 2, b->shape().end());
      if (bias != nullptr && (bias->dtype() != DType::kFloat32 || bias->size() != matrix[1])) {
        throw_error(ErrorCode::kInvalidModel, "bias {} does not fit input B {}", to_string(bias->shape()),
                    to_string(b->shape()));
      }
      packed_ = std::make_unique<PackedMatMul>(b->reshaped(matrix), false, bias != nullptr ? *bias : Tensor(), steps);
    } else if (bias != nullptr || !steps.empty()) {
      throw_error(ErrorCode::kUnsupported, "a fused MatMul needs a constant float32 matrix");
    }
  }

  void run(OpCall& call) const override {
    const Tensor &a = call.input(0), &b = call.input(1);
    if (a.dtype() != b.dtype()) {
      throw_error(ErrorCode::kInvalidModel, "inputs A ({}) and B ({}) must have one type", to_string(a.dtype()),
                  to_string(b.dtype()));
    }
    const MatrixProduct p = plan_product(a.shape(), b.shape(), form_.orders);
    Tensor& y = call.output(0, a.dtype(), p.output);
    if (y.size() == 0) return;
    if (packed_ && p.k > 0) return run_packed(call, p, y);
    switch (a.dtype()) {
      case DType::kFloat32:
        if (StackedMatMul::takes(p)) {
          return computed_.run(call, p, a.data<float>().data(), b.data<float>().data(), y.mutable_data<float>().data());
        }
        if (form_.alpha != 1.0F) throw_error(ErrorCode::kUnsupported, "a fused MatMul cannot read these strides");
        return multiply_all<float>(p, a, b, y);
      case DType::kFloat64: return multiply_all<double>(p, a, b, y);
      case DType::kInt32: return multiply_all<int32_t>(p, a, b, y);
      case DType::kInt64: return multiply_all<int64_t>(p, a, b, y);
      case DType::kUInt32: return multiply_all<uint32_t>(p, a, b, y);
      case DType::kUInt64: return multiply_all<uint64_t>(p, a, b, y);
      default: throw_error(ErrorCode::kUnsupported, "multiplying {} is not supported", to_string(a.dtype()));
    }
  }

  size_t packed_bytes() const override { return packed_ != nullptr ? packed_->byte_size() : 0; }

 private:
  void run_packed(const OpCall& call, const MatrixProduct& p, Tensor& y) const {
    std::vector<const float*> addends;
    for (int i = 3; call.has_input(i); ++i) {
      const Tensor& addend = call.input(i);
      if (addend.dtype() != DType::kFloat32 || addend.size() != y.size()) {
        throw_error(ErrorCode::kInvalidModel, "the tensor to add has shape {}, but the output has {}",
                    to_string(addend.shape()), to_string(y.shape()));
      }
      addends.push_back(addend.data<float>().data());
    }
    packed_->run(call, p.batches * p.m, call.input(0).data<float>().data(), addends, y.mutable_data<float>().data());
  }

  const FusedMatMul form_;
  const StackedMatMul computed_;          // float32, where B is not
  std::unique_ptr<PackedMatMul> packed_;  // where B is a constant matrix
};

std::unique_ptr<Kernel> make_matmul(const KernelArgs& args) { return std::make_unique<MatMulKernel>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "MatMul", .make = make_matmul},
    {.op_type = "MatMul", .make = make_matmul, .domain = kFusedDomain},
};

}  // namespace

std::span<const OpDef> matmul_ops() { return kOps; }

}  // namespace twofold
