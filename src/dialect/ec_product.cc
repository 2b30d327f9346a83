#include "dialect/ec_product.h"

#include <algorithm>
#include <optional>

#include "base/parallel_for.h"
#include "dialect/product_outputs.h"
#include "dialect/registry.h"
#include "kernels/exact_sums.h"
#include "kernels/weighted_sum.h"
#include "numeric/ec.h"
#include "numeric/integer_limits.h"

namespace twofold {

namespace {

// Integers that an operand's are `weight` times, or the operand itself.
struct Term {
  Tensor integers;
  double weight = 1;
};

std::vector<Term> terms_of(const Tensor& operand, bool ec, Allocator* allocator) {
  if (!ec) return {{operand, 1}};
  Tensor first(DType::kInt8, operand.shape(), operand.layout(), allocator);
  Tensor second(DType::kInt8, operand.shape(), operand.layout(), allocator);
  const std::span<const int16_t> v = operand.data<int16_t>();
  const std::span<int8_t> q1 = first.mutable_data<int8_t>(), q2 = second.mutable_data<int8_t>();
  parallel_for(operand.size(), 1 << 15, [&](int64_t begin, int64_t end) {
    const auto offset = static_cast<size_t>(begin), count = static_cast<size_t>(end - begin);
    ec_split(v.subspan(offset, count), q1.subspan(offset, count), q2.subspan(offset, count));
  });
  return {{std::move(first), kEcBase}, {std::move(second), 1}};
}

// The node of one pass: its output is the accumulators, without bias.
Node pass_of(const Node& node) {
  ProductNode product = ProductNode::read(node);
  if (product.ec.a) product.a_dtype = DType::kInt8;
  product.ec = {};
  product.bias = kNone;
  product.operands.clear();
  product.program.reset();
  product.outputs = {{.dtype = DType::kFloat64}};
  Node pass = node;
  pass.outputs.resize(1);
  product.write(pass);
  return pass;
}

// Products per accumulator, at most, and output channels.
struct Extent {
  int64_t k, channels;
};

Extent extent_of(const Node& node, const Shape& b) {
  if (b.size() < 2) return {num_elements(b), 1};
  if (node.op_type == kIntegerMatMul) return {b[b.size() - 2], b.back()};
  const bool channels_first = node.op_type == kIntegerConv || node.attributes.get_int("transB", 0) != 0;
  const int64_t of_group = b[channels_first ? 0 : 1];
  const int64_t groups = node.op_type == kIntegerConvTranspose ? node.attributes.get_int("group", 1) : 1;
  return {num_elements(b) / std::max<int64_t>(1, of_group), of_group * groups};
}

// The largest magnitude of an operand's integers, counted from its zero point.
double magnitude(DType dtype, int32_t zero_point) {
  const auto [low, high] = integer_limits(dtype);
  return std::max(high - zero_point, zero_point - low);
}

class EcProduct final : public Kernel {
 public:
  explicit EcProduct(const KernelArgs& args) : product_(args), pass_(pass_of(args.node)) {
    const Tensor* b = args.constants[1];
    if (b != nullptr) {
      requantizer_.emplace(requantizer_for(*b, nullptr));
      b_terms_ = terms_of(*b, product_.node.ec.b, nullptr);
    }
    KernelArgs pass_args{pass_, {nullptr, nullptr}, args.make_runner};
    if (b == nullptr) passes_.push_back(make_kernel(pass_args));
    for (Term& term : b_terms_) {
      pass_args.constants[1] = &term.integers;
      passes_.push_back(make_kernel(pass_args));
      // The kernel has packed the elements; it still looks at the shape.
      if (!passes_.back()->reads_constant(1))
        term.integers = Tensor::wrap(term.integers.dtype(), term.integers.shape(), nullptr, nullptr);
    }
  }

  void run(OpCall& call) const override {
    const Tensor &a = call.input(0), &b = call.input(1);
    std::optional<kernels::Requantizer> own;
    if (!requantizer_) own.emplace(requantizer_for(b, call.allocator()));
    const std::vector<Term> left = terms_of(a, product_.node.ec.a, call.allocator());
    const std::vector<Term> right = b_terms_.empty() ? terms_of(b, product_.node.ec.b, call.allocator()) : b_terms_;
    std::vector<Term> sums;
    for (const Term& x : left) {
      for (size_t i = 0; i < right.size(); ++i) {
        const Kernel& pass = *passes_[passes_.size() > 1 ? i : 0];
        sums.push_back({run_pass(pass, x.integers, right[i].integers, call.allocator()), x.weight * right[i].weight});
      }
    }
    requantize(call, sums, b.rank() == 1, requantizer_ ? *requantizer_ : *own);
  }

  bool reads_constant(int input) const override { return input != 1 || b_terms_.empty(); }
  size_t packed_bytes() const override {
    size_t bytes = 0;
    for (const auto& pass : passes_) bytes += pass->packed_bytes();
    return bytes;
  }

 private:
  // Throws as PackedB does for the sums of one pass. 254 |q1| + |q2| is at most 32640, which int16 holds.
  kernels::Requantizer requantizer_for(const Tensor& b, Allocator* allocator) const {
    const double a_most = magnitude(product_.node.a_dtype, product_.node.a_zero_point);
    const double b_most = magnitude(b.dtype(), product_.node.b_zero_point);
    const auto [k, channels] = extent_of(pass_, b.shape());
    kernels::check_sums_are_exact(static_cast<double>(k) * a_most * b_most, k);
    product_.check_channels(channels);
    return {channels, product_.bias, product_.output_forms, allocator};
  }

  Tensor run_pass(const Kernel& pass, const Tensor& a, const Tensor& b, Allocator* allocator) const {
    const Tensor* inputs[] = {&a, &b};
    Tensor sums;
    OpCall call(pass_, inputs, std::span(&sums, 1), allocator);
    pass.run(call);
    return sums;
  }

  void requantize(OpCall& call, const std::vector<Term>& sums, bool b_is_vector,
                  const kernels::Requantizer& requantizer) const {
    const Tensor& first = sums[0].integers;
    const bool channels_last = first.layout() == Layout::kChannelsLast;
    const int axis = channels_last ? 1 : b_is_vector ? -1 : first.rank() - 1;
    ProductOutputs outputs(product_, call, first.shape(), axis, first.layout());
    if (first.size() > 0) {
      const int64_t channels = axis < 0 ? 1 : first.dim(axis);
      std::vector<kernels::WeightedTerm> terms;
      for (const Term& term : sums) terms.push_back({term.integers.data<double>().data(), term.weight});
      kernels::requantize_weighted_sum(terms, first.size() / channels, channels, requantizer, outputs.places(0),
                                       outputs.sink());
    }
    outputs.finish();
  }

  const IntegerProduct product_;
  const Node pass_;
  std::vector<Term> b_terms_;                        // of a constant B
  std::optional<kernels::Requantizer> requantizer_;  // the same
  std::vector<std::unique_ptr<Kernel>> passes_;      // per term of a constant B; else one
};

}  // namespace

std::unique_ptr<Kernel> make_ec_product(const KernelArgs& args) { return std::make_unique<EcProduct>(args); }

}  // namespace twofold
