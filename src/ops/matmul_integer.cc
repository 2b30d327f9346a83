// MatMulInteger (ONNX opset 10): exact sums of products of 8-bit integers, with zero points that may be known at run
// time only, one per row of A and per column of B.
#include <algorithm>
#include <optional>

#include "kernels/gemm.h"
#include "loops/matrix_stack.h"
#include "ops/centred_integers.h"
#include "ops/families.h"

namespace twofold {

namespace {

kernels::MatrixView view(const Tensor& tensor, const MatrixStack& stack, int64_t offset, int32_t zero_point) {
  return {.dtype = tensor.dtype(),
          .data = tensor.bytes() + static_cast<size_t>(offset) * byte_size(tensor.dtype()),
          .rows = stack.rows(),
          .columns = stack.columns(),
          .row_stride = stack.row_stride(),
          .column_stride = stack.column_stride(),
          .zero_point = zero_point};
}

template <typename T>
std::vector<int64_t> column_sums(const kernels::MatrixView& b) {
  const T* data = static_cast<const T*>(b.data);
  std::vector<int64_t> sums(static_cast<size_t>(b.columns), 0);
  for (int64_t r = 0; r < b.rows; ++r) {
    for (int64_t c = 0; c < b.columns; ++c) {
      sums[static_cast<size_t>(c)] += data[r * b.row_stride + c * b.column_stride] - b.zero_point;
    }
  }
  return sums;
}

// One matrix of B, packed for rows of A as they are: their zero point comes off afterwards, times the sums of columns.
struct Right {
  Right(const kernels::MatrixView& b, DType a_dtype, Allocator* allocator)
      : packed(b, a_dtype, 0, {.compact = allocator == nullptr, .allocator = allocator}),
        requantizer(packed, {}, std::array{exact_sum()}, allocator),
        sums(b.dtype == DType::kInt8    ? column_sums<int8_t>(b)
             : b.dtype == DType::kUInt8 ? column_sums<uint8_t>(b)
                                        : column_sums<int16_t>(b)) {}

  kernels::PackedB packed;
  kernels::Requantizer requantizer;
  std::vector<int64_t> sums;
};

// B with one zero point. It may have had one per column of a matrix, the same for all of them or not.
CentredIntegers centred_b(const Tensor& b, const Tensor* zero_points, Allocator* allocator) {
  const std::vector<int32_t> zeros = read_zero_points(zero_points, b, "input B");
  const auto columns = static_cast<size_t>(b.rank() < 2 ? 1 : b.shape().back());
  const size_t matrix = columns * static_cast<size_t>(b.rank() < 2 ? b.size() : b.dim(b.rank() - 2));
  const size_t all_columns = matrix == 0 ? 0 : static_cast<size_t>(b.size()) / matrix * columns;
  if (zeros.size() != 1 && zeros.size() != columns && zeros.size() != all_columns) {
    throw_error(ErrorCode::kInvalidModel, "input B {} has {} zero points; it may have one, or one per column",
                to_string(b.shape()), zeros.size());
  }
  const bool shared = zeros.size() == columns;
  return centred(
      b, zeros, [=](size_t i) { return i % columns + (shared ? 0 : i / matrix * columns); }, allocator);
}

class MatMulInteger final : public Kernel {
 public:
  explicit MatMulInteger(const KernelArgs& args) {
    const Tensor* b = args.constants[1];
    const Tensor* zero_points = args.node.input(3) == kNone ? nullptr : args.constants[3];
    if (b == nullptr || b->rank() == 0 || (args.node.input(3) != kNone && zero_points == nullptr)) return;
    const CentredIntegers right = centred_b(*b, zero_points, nullptr);
    // A row of any length that fits stands for the A that is not there yet.
    const MatrixProduct p = plan_product({b->dim(std::max(0, b->rank() - 2))}, b->shape());
    for (int64_t i = 0; i < p.batches; ++i) {
      packed_.emplace_back(view(right.integers, p.b, p.offsets(i).b, right.zero_point), kPackedFor, nullptr);
    }
  }

  void run(OpCall& call) const override {
    const Tensor &a = call.input(0), &b = call.input(1);
    const MatrixProduct p = plan_product(a.shape(), b.shape());
    const std::vector<int32_t> a_zeros = zero_points_of_rows(call, p);
    const bool is_packed = !packed_.empty() && a.dtype() == kPackedFor;
    const CentredIntegers right =
        is_packed ? CentredIntegers{} : centred_b(b, call.has_input(3) ? &call.input(3) : nullptr, call.allocator());
    std::span<int32_t> out = call.output(0, DType::kInt32, p.output).mutable_data<int32_t>();
    if (out.empty()) return;
    Tensor sums = call.scratch(DType::kFloat64, {p.m, p.n});
    for (int64_t i = 0; i < p.batches; ++i) {
      const MatrixProduct::Offsets at = p.offsets(i);
      std::optional<Right> own;
      // Constants are row-major: matrix i begins i * k * n elements in.
      const Right& matrix =
          is_packed ? packed_[static_cast<size_t>(p.k > 0 ? at.b / (p.k * p.n) : 0)]
                    : own.emplace(view(right.integers, p.b, at.b, right.zero_point), a.dtype(), call.allocator());
      const kernels::OutputRows place{sums.mutable_bytes(), p.n};
      kernels::gemm(kernels::MatrixRows(view(a, p.a, at.a, 0)), matrix.packed, matrix.requantizer, {&place, 1});
      const auto first_row = static_cast<size_t>(p.k > 0 ? at.a / p.k : 0);
      for (int64_t r = 0; r < p.m; ++r) {
        const auto row = static_cast<size_t>(r);
        const int64_t zero = a_zeros[a_zeros.size() == 1 ? 0 : (first_row + row) % a_zeros.size()];
        const double* sum = sums.data<double>().data() + r * p.n;
        int32_t* to = out.data() + at.y + r * p.n;
        for (int64_t c = 0; c < p.n; ++c) {
          to[c] = wrapped(static_cast<int64_t>(sum[c]) - zero * matrix.sums[static_cast<size_t>(c)]);
        }
      }
    }
  }

  size_t packed_bytes() const override {
    size_t bytes = 0;
    for (const Right& matrix : packed_) bytes += matrix.packed.byte_size();
    return bytes;
  }

 private:
  // What DynamicQuantizeLinear gives; for an int8 A, constants are packed in every run.
  static constexpr DType kPackedFor = DType::kUInt8;

  // Of A: one, or one per row of a matrix, or of all.
  static std::vector<int32_t> zero_points_of_rows(const OpCall& call, const MatrixProduct& p) {
    const Tensor& a = call.input(0);
    std::vector<int32_t> zeros = read_zero_points(call.has_input(2) ? &call.input(2) : nullptr, a, "input A");
    const auto count = static_cast<int64_t>(zeros.size());
    if (count != 1 && count != p.m && (p.k == 0 || count != a.size() / p.k)) {
      throw_error(ErrorCode::kInvalidModel, "input A {} has {} zero points; it may have one, or one per row",
                  to_string(a.shape()), count);
    }
    return zeros;
  }

  std::vector<Right> packed_;  // per matrix, where B and its zero points are constant
};

std::unique_ptr<Kernel> make_matmul_integer(const KernelArgs& args) { return std::make_unique<MatMulInteger>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "MatMulInteger", .make = make_matmul_integer},
};

}  // namespace

std::span<const OpDef> matmul_integer_ops() { return kOps; }

}  // namespace twofold
