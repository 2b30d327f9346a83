// MatMul (ONNX opset 13) with NumPy's rules for vectors and stacks of matrices.
#include <algorithm>

#include "base/parallel_for.h"
#include "ops/families.h"
#include "ops/matmul_loop.h"
#include "ops/matrix_stack.h"
#include "ops/packed_matmul.h"

namespace twofold {

namespace {

// Calls body with the offsets of each product, in parallel where there are many.
template <typename Body>
void for_each_product(const MatrixProduct& p, const Body& body) {
  constexpr int64_t kLeastWork = 1 << 15;
  const int64_t work = std::max<int64_t>(1, p.m * p.n * std::max<int64_t>(1, p.k));
  parallel_for(p.batches, std::max<int64_t>(1, kLeastWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(p.offsets(i));
  });
}

// Whether BLAS can read a matrix where it lies: one of its strides is 1.
bool is_blas_matrix(const MatrixStack& stack) {
  return stack.column_stride() == 1 || stack.row_stride() == 1 || stack.columns() == 1 || stack.rows() == 1;
}

MatrixOperand blas_operand(const MatrixStack& stack, const float* data) {
  const bool rows_lie_together = stack.column_stride() == 1 || (stack.columns() == 1 && stack.row_stride() != 1);
  if (rows_lie_together) return {data, std::max(stack.row_stride(), stack.columns()), false};
  return {data, std::max(stack.column_stride(), stack.rows()), true};
}

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

void multiply_floats(const MatrixProduct& p, float alpha, const Tensor& a, const Tensor& b, Tensor& y) {
  const float* left = a.data<float>().data();
  const float* right = b.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for_each_product(p, [&](const MatrixProduct::Offsets& at) {
    multiply(p.m, p.n, p.k, alpha, blas_operand(p.a, left + at.a), blas_operand(p.b, right + at.b), 0.0F, out + at.y,
             std::max(p.y.row_stride(), p.n));
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
      : orders_{args.node.attributes.get_ints("order_a", {}), args.node.attributes.get_ints("order_b", {}),
                args.node.attributes.get_ints("order_y", {})},
        alpha_(args.node.attributes.get_float("alpha", 1.0F)) {
    const Tensor* b = args.constants.size() > 1 ? args.constants[1] : nullptr;
    const Tensor* bias = args.constants.size() > 2 ? args.constants[2] : nullptr;
    const Epilogue epilogue = get_epilogue(args.node.attributes);
    const bool plain = orders_.a.empty() && orders_.b.empty() && orders_.y.empty() && alpha_ == 1.0F;
    if (plain && b != nullptr && is_one_matrix(*b)) {
      const Shape matrix(b->shape().end() - 2, b->shape().end());
      if (bias != nullptr && (bias->dtype() != DType::kFloat32 || bias->size() != matrix[1])) {
        throw_error(ErrorCode::kInvalidModel, "bias {} does not fit input B {}", to_string(bias->shape()),
                    to_string(b->shape()));
      }
      packed_ =
          std::make_unique<PackedMatMul>(b->reshaped(matrix), false, bias != nullptr ? *bias : Tensor(), epilogue);
    } else if (bias != nullptr || !epilogue.empty()) {
      throw_error(ErrorCode::kUnsupported, "a fused MatMul needs a constant float32 matrix");
    }
  }

  void run(OpCall& call) const override {
    const Tensor &a = call.input(0), &b = call.input(1);
    if (a.dtype() != b.dtype()) {
      throw_error(ErrorCode::kInvalidModel, "inputs A ({}) and B ({}) must have one type", to_string(a.dtype()),
                  to_string(b.dtype()));
    }
    const MatrixProduct p = plan_product(a.shape(), b.shape(), orders_);
    Tensor& y = call.output(0, a.dtype(), p.output);
    if (y.size() == 0) return;
    if (packed_ && p.k > 0) return run_packed(call, p, y);
    switch (a.dtype()) {
      case DType::kFloat32:
        if (p.k > 0 && is_blas_matrix(p.a) && is_blas_matrix(p.b) && (p.y.column_stride() == 1 || p.n == 1)) {
          return multiply_floats(p, alpha_, a, b, y);
        }
        if (alpha_ != 1.0F) throw_error(ErrorCode::kUnsupported, "a fused MatMul cannot read these strides");
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

  const MatrixOrders orders_;
  const float alpha_;
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
