// Gemm (ONNX opset 13): Y = alpha * A' * B' + beta * C.
#include <algorithm>

#include "kernels/aligned_buffer.h"
#include "loops/matmul_loop.h"
#include "ops/families.h"
#include "ops/packed_matmul.h"
#include "ops/stacked_matmul.h"

namespace twofold {

namespace {

struct GemmShape {
  int64_t m, n, k;
};

GemmShape gemm_shape(const Tensor& a, bool transposed_a, const Tensor& b, bool transposed_b) {
  const bool fits = a.rank() == 2 && b.rank() == 2 && a.dim(transposed_a ? 0 : 1) == b.dim(transposed_b ? 1 : 0);
  if (!fits || a.dtype() != b.dtype()) {
    throw_error(ErrorCode::kInvalidModel, "inputs A {} {} (transA {}) and B {} {} (transB {}) cannot be multiplied",
                to_string(a.dtype()), to_string(a.shape()), static_cast<int>(transposed_a), to_string(b.dtype()),
                to_string(b.shape()), static_cast<int>(transposed_b));
  }
  return {a.dim(transposed_a ? 1 : 0), b.dim(transposed_b ? 0 : 1), a.dim(transposed_a ? 0 : 1)};
}

// How C, broadcast to [m,n], is read.
struct AddendStrides {
  int64_t row = 0, column = 0;
};

AddendStrides addend_strides(const Tensor& c, DType dtype, const GemmShape& shape) {
  const int64_t rows = c.rank() == 2 ? c.dim(0) : 1;
  const int64_t columns = c.rank() >= 1 ? c.shape().back() : 1;
  if (c.rank() > 2 || (rows != 1 && rows != shape.m) || (columns != 1 && columns != shape.n) || c.dtype() != dtype) {
    throw_error(ErrorCode::kInvalidModel, "input C {} {} does not broadcast to {} [{},{}]", to_string(c.dtype()),
                to_string(c.shape()), to_string(dtype), shape.m, shape.n);
  }
  return {rows == 1 ? 0 : columns, columns == 1 ? 0 : 1};
}

// y = beta * C, or 0 without C.
template <typename T>
void start_with_addend(const OpCall& call, const GemmShape& shape, T beta, std::span<T> y) {
  if (!call.has_input(2)) return std::fill(y.begin(), y.end(), T{0});
  const Tensor& c = call.input(2);
  const AddendStrides strides = addend_strides(c, kDTypeOf<T>, shape);
  const T* values = c.data<T>().data();
  for (int64_t i = 0; i < shape.m; ++i) {
    for (int64_t j = 0; j < shape.n; ++j) {
      using Sum = typename WrappingSum<T>::Type;
      const auto value = static_cast<Sum>(values[i * strides.row + j * strides.column]);
      y[static_cast<size_t>(i * shape.n + j)] = static_cast<T>(static_cast<Sum>(beta) * value);
    }
  }
}

// A constant C of one row as a bias that holds beta; undefined if C is something else.
Tensor make_bias(const Tensor& c, int64_t n, float beta) {
  const bool one_row = c.rank() <= 1 || (c.rank() == 2 && c.dim(0) == 1);
  if (!one_row || c.dtype() != DType::kFloat32 || (c.size() != n && c.size() != 1)) return {};
  Tensor bias(DType::kFloat32, {n});
  const std::span<const float> values = c.data<float>();
  const std::span<float> out = bias.mutable_data<float>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = beta * values[c.size() == 1 ? 0 : i];
  return bias;
}

Tensor scaled(const Tensor& tensor, float factor) {
  if (factor == 1.0F) return tensor;
  Tensor result = tensor;
  for (float& value : result.mutable_data<float>()) value *= factor;
  return result;
}

class GemmKernel final : public Kernel {
 public:
  explicit GemmKernel(const KernelArgs& args)
      : alpha_(args.node.attributes.get_float("alpha", 1.0F)),
        beta_(args.node.attributes.get_float("beta", 1.0F)),
        transposed_a_(args.node.attributes.get_int("transA", 0) != 0),
        transposed_b_(args.node.attributes.get_int("transB", 0) != 0),
        computed_(alpha_, args.node.input(2) != kNone) {
    const auto constant = [&](size_t i) { return i < args.constants.size() ? args.constants[i] : nullptr; };
    const FloatSteps steps = read_steps(args.node.attributes);
    const Tensor* b = constant(1);
    const bool has_c = args.node.input(2) != kNone;
    bool packable = !transposed_a_ && b != nullptr && b->dtype() == DType::kFloat32 && b->rank() == 2 && b->size() > 0;
    Tensor bias;
    if (packable && has_c) {
      if (constant(2) != nullptr) bias = make_bias(*constant(2), b->dim(transposed_b_ ? 0 : 1), beta_);
      packable = bias.defined();
    }
    if (packable) {
      packed_ = std::make_unique<PackedMatMul>(scaled(*b, alpha_), transposed_b_, std::move(bias), steps);
    } else if (!steps.empty()) {
      throw_error(ErrorCode::kUnsupported, "a fused Gemm needs a constant matrix and bias");
    }
  }

  void run(OpCall& call) const override {
    const GemmShape shape = gemm_shape(call.input(0), transposed_a_, call.input(1), transposed_b_);
    switch (call.input(0).dtype()) {
      case DType::kFloat32: return run_float(call, shape);
      case DType::kFloat64: return run_loop<double>(call, shape);
      case DType::kInt32: return run_loop<int32_t>(call, shape);
      case DType::kInt64: return run_loop<int64_t>(call, shape);
      case DType::kUInt32: return run_loop<uint32_t>(call, shape);
      case DType::kUInt64: return run_loop<uint64_t>(call, shape);
      default:
        throw_error(ErrorCode::kUnsupported, "multiplying {} is not supported", to_string(call.input(0).dtype()));
    }
  }

  size_t packed_bytes() const override { return packed_ != nullptr ? packed_->byte_size() : 0; }

 private:
  void run_float(OpCall& call, const GemmShape& shape) const {
    const Tensor &a = call.input(0), &b = call.input(1);
    const std::span<float> y = call.output(0, DType::kFloat32, {shape.m, shape.n}).mutable_data<float>();
    if (y.empty()) return;
    if (packed_) {
      std::vector<const float*> addends;
      for (int i = 3; call.has_input(i); ++i) {
        const std::span<const float> addend = call.input(i).data<float>();
        if (addend.size() != y.size()) throw_error(ErrorCode::kInvalidModel, "the tensor to add has another size");
        addends.push_back(addend.data());
      }
      return packed_->run(call, shape.m, a.data<float>().data(), addends, y.data());
    }
    if (call.has_input(2) || shape.k == 0) start_with_addend(call, shape, beta_, y);
    if (shape.k == 0) return;
    const MatrixProduct p = plan_product(a.shape(), b.shape(), gemm_orders(transposed_a_, transposed_b_));
    computed_.run(call, p, a.data<float>().data(), b.data<float>().data(), y.data());
  }

  template <typename T>
  void run_loop(OpCall& call, const GemmShape& shape) const {
    const Tensor &a = call.input(0), &b = call.input(1);
    const std::span<T> y = call.output(0, a.dtype(), {shape.m, shape.n}).template mutable_data<T>();
    const T alpha = static_cast<T>(alpha_), beta = static_cast<T>(beta_);
    if (!std::is_floating_point_v<T> && (static_cast<float>(alpha) != alpha_ || static_cast<float>(beta) != beta_)) {
      throw_error(ErrorCode::kUnsupported, "alpha {} and beta {} must be integers for integer inputs", alpha_, beta_);
    }
    kernels::AlignedVector<T> product(y.size(), call.allocator());
    multiply_loop<T>(
        shape.m, shape.n, shape.k, {a.data<T>().data(), transposed_a_ ? 1 : a.dim(1), transposed_a_ ? a.dim(1) : 1},
        {b.data<T>().data(), transposed_b_ ? 1 : b.dim(1), transposed_b_ ? b.dim(1) : 1}, product.data(), shape.n, 1);
    start_with_addend(call, shape, beta, y);
    using Sum = typename WrappingSum<T>::Type;
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = static_cast<T>(static_cast<Sum>(y[i]) + static_cast<Sum>(alpha) * static_cast<Sum>(product[i]));
    }
  }

  const float alpha_, beta_;
  const bool transposed_a_, transposed_b_;
  const StackedMatMul computed_;  // float32, where no constant is packed
  std::unique_ptr<PackedMatMul> packed_;
};

std::unique_ptr<Kernel> make_gemm(const KernelArgs& args) { return std::make_unique<GemmKernel>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "Gemm", .make = make_gemm},
    {.op_type = "Gemm", .make = make_gemm, .domain = kFusedDomain},
};

}  // namespace

std::span<const OpDef> gemm_ops() { return kOps; }

}  // namespace twofold
