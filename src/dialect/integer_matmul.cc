// The kernels of IntegerMatMul and IntegerGemm (product_node.h).
#include "base/parallel_for.h"
#include "dialect/domain.h"
#include "dialect/ec_product.h"
#include "dialect/families.h"
#include "dialect/integer_product.h"
#include "dialect/product_outputs.h"
#include "kernels/gemm.h"
#include "loops/matrix_stack.h"

namespace twofold {

namespace {

// Of a MatMul: none.
MatrixOrders read_orders(const Attributes& attributes) {
  return gemm_orders(attributes.get_int("transA", 0) != 0, attributes.get_int("transB", 0) != 0);
}

// B and its requantizer, ready to be multiplied.
struct Prepared {
  kernels::PackedB b;
  kernels::Requantizer requantizer;
};

class IntegerMatMul final : public Kernel {
 public:
  explicit IntegerMatMul(const KernelArgs& args) : product_(args), orders_(read_orders(args.node.attributes)) {
    const Tensor* b = args.constants[1];
    if (b == nullptr) return;
    // A row of any length that fits stands for the A that is not there yet.
    const Shape row(1, b->rank() == 1 || !orders_.b.empty() ? b->shape().back() : b->dim(b->rank() - 2));
    const MatrixProduct p = plan_product(row, b->shape(), {{}, orders_.b, {}});
    for (int64_t i = 0; i < p.batches; ++i) prepared_.push_back(prepare(*b, p, p.offsets(i).b, nullptr));
  }

  void run(OpCall& call) const override {
    const Tensor &a = call.input(0), &b = call.input(1);
    const MatrixProduct p = plan_product(a.shape(), b.shape(), orders_);
    const int channel_axis = b.rank() == 1 ? -1 : static_cast<int>(p.output.size()) - 1;
    ProductOutputs outputs(product_, call, p.output, channel_axis, Layout::kPlain);
    if (num_elements(p.output) == 0) return outputs.finish();
    const auto multiply_batch = [&](int64_t rows, const MatrixProduct::Offsets& at) {
      if (!prepared_.empty()) {
        // Constants are row-major: matrix i begins i * k * n elements in.
        const int64_t matrix = p.k > 0 ? at.b / (p.k * p.n) : 0;
        multiply(a, p, rows, at, prepared_[static_cast<size_t>(matrix)], outputs);
      } else {
        multiply(a, p, rows, at, prepare(b, p, at.b, call.allocator()), outputs);
      }
    };
    if (is_one_product(a, b, p)) {
      multiply_batch(p.batches * p.m, {0, 0, 0});
    } else {
      // Either the products run in parallel, or the rows and columns of each.
      parallel_for(p.batches, p.batches >= num_threads() ? 1 : p.batches, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) multiply_batch(p.m, p.offsets(i));
      });
    }
    outputs.finish();
  }

  bool reads_constant(int input) const override { return input != 1 || prepared_.empty(); }
  size_t packed_bytes() const override {
    size_t bytes = 0;
    for (const Prepared& matrix : prepared_) bytes += matrix.b.byte_size();
    return bytes;
  }

 private:
  Prepared prepare(const Tensor& b, const MatrixProduct& p, int64_t offset, Allocator* allocator) const {
    const kernels::MatrixView matrix = product_.view_b(b, offset, p.k, p.n, p.b.row_stride(), p.b.column_stride());
    product_.check_channels(p.n);
    kernels::PackedB packed(matrix, product_.node.a_dtype, product_.node.a_zero_point,
                            {.compact = allocator == nullptr, .allocator = allocator});
    kernels::Requantizer requantizer(packed, product_.bias, product_.output_forms, allocator);
    return {std::move(packed), std::move(requantizer)};
  }

  // Whether the rows of all batches of A follow each other and meet the same B.
  bool is_one_product(const Tensor& a, const Tensor& b, const MatrixProduct& p) const {
    return orders_.a.empty() && a.size() == p.batches * p.m * p.k && b.size() == p.k * p.n;
  }

  void multiply(const Tensor& a, const MatrixProduct& p, int64_t rows, const MatrixProduct::Offsets& at,
                const Prepared& right, const ProductOutputs& outputs) const {
    const kernels::MatrixView left = product_.view_a(a, at.a, rows, p.k, p.a.row_stride(), p.a.column_stride());
    const int64_t first_row = at.y / p.n;
    const std::vector<kernels::OutputRows> places = outputs.places(first_row);
    if (outputs.sink() != nullptr) {
      const RowsOfSink sink(*outputs.sink(), first_row);
      kernels::gemm(kernels::MatrixRows(left), right.b, right.requantizer, places, &sink);
    } else {
      kernels::gemm(kernels::MatrixRows(left), right.b, right.requantizer, places);
    }
  }

  const IntegerProduct product_;
  const MatrixOrders orders_;
  std::vector<Prepared> prepared_;  // per matrix of a constant B
};

std::unique_ptr<Kernel> make_integer_matmul(const KernelArgs& args) {
  if (ec_passes(args.node) > 1) return make_ec_product(args);
  return std::make_unique<IntegerMatMul>(args);
}

constexpr OpDef kOps[] = {
    {.op_type = kIntegerMatMul, .make = make_integer_matmul, .domain = kDialect},
    {.op_type = kIntegerGemm, .make = make_integer_matmul, .domain = kDialect},
};

}  // namespace

std::span<const OpDef> integer_matmul_ops() { return kOps; }

}  // namespace twofold
