// IntegerConv, IntegerConvTranspose, IntegerMatMul and IntegerGemm of domain "twofold": what lowering makes of
// DequantizeLinear -> op -> QuantizeLinear. The accumulator is the exact integer of docs/numerics.md, rule 4, computed
// digit by digit on the float kernel of the operator (digits.h).
//
// Inputs: a, b (8- or 16-bit integers), bias (int64, constant, optional). Attributes: those of the float operator, and
//   a_scale, a_zero_point; b_scale (one, or one per output channel), b_zero_point;
//   per output y_dtype, y_scale, y_zero_point, y_low, y_high (lists).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel_for.h"
#include "ops/digits.h"
#include "ops/families.h"
#include "ops/requantize.h"

namespace twofold {

namespace {

// Sums of integers below this are exact in float32.
constexpr int64_t kExactFloat = int64_t{1} << 24;

// The float operator with one digit of b: prepared once where b is constant.
struct Term {
  std::unique_ptr<Kernel> kernel;
  Tensor b;
  int shift;
};

class IntegerGemm final : public Kernel {
 public:
  explicit IntegerGemm(const KernelArgs& args);
  void run(OpCall& call) const override;

 private:
  std::vector<Term> prepare_terms(const Tensor& b, int64_t a_bound, Allocator* allocator, bool constant) const;
  Tensor run_term(const Term& term, const Tensor& a, Allocator* allocator) const;
  ChannelGrid channel_grid(const Tensor& y) const;
  int64_t largest_channel_sum(const Tensor& b_digit) const;
  int channel_axis(int b_rank) const;

  Node inner_;  // the float operator on (a, b)
  bool convolution_;
  float a_scale_;
  int32_t a_zero_, b_zero_;
  std::vector<float> b_scale_;
  std::vector<OutputForm> forms_;
  std::vector<double> bias_;
  std::vector<Term> terms_;  // empty where b is known only at run time
};

IntegerGemm::IntegerGemm(const KernelArgs& args) {
  const Attributes& attributes = args.node.attributes;
  inner_.name = args.node.name;
  inner_.op_type = args.node.op_type.substr(std::string_view("Integer").size());
  inner_.inputs = {0, 1};
  inner_.outputs = {2};
  for (const char* name : {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads",
                           "strides", "transA", "transB"}) {
    for (const auto& [key, value] : attributes) {
      if (key == name) inner_.attributes.set(key, value);
    }
  }
  convolution_ = inner_.op_type == "Conv" || inner_.op_type == "ConvTranspose";
  a_scale_ = attributes.get_float("a_scale", 1);
  a_zero_ = static_cast<int32_t>(attributes.get_int("a_zero_point", 0));
  b_zero_ = static_cast<int32_t>(attributes.get_int("b_zero_point", 0));
  b_scale_ = attributes.get_floats("b_scale", {});
  const auto dtypes = attributes.get_ints("y_dtype", {}), zeros = attributes.get_ints("y_zero_point", {}),
             lows = attributes.get_ints("y_low", {}), highs = attributes.get_ints("y_high", {});
  const auto scales = attributes.get_floats("y_scale", {});
  for (size_t i = 0; i < dtypes.size(); ++i) {
    forms_.push_back({static_cast<DType>(dtypes[i]), scales[i], static_cast<int32_t>(zeros[i]),
                      static_cast<int32_t>(lows[i]), static_cast<int32_t>(highs[i])});
  }
  if (args.constants.size() > 2 && args.constants[2] != nullptr) {
    for (int64_t v : args.constants[2]->data<int64_t>()) bias_.push_back(static_cast<double>(v));
  }
  if (args.constants[1] != nullptr) {
    const auto a_dtype = static_cast<DType>(attributes.get_int("a_dtype"));
    terms_ = prepare_terms(*args.constants[1], magnitude_bound(a_dtype, a_zero_), nullptr, true);
  }
}

// The axis of b that output channels run along; -1 for a vector, which is one channel.
int IntegerGemm::channel_axis(int b_rank) const {
  if (inner_.op_type == "Conv") return 0;
  if (inner_.op_type == "ConvTranspose") return 1;
  if (inner_.op_type == "Gemm") return inner_.attributes.get_int("transB", 0) != 0 ? 0 : 1;
  return b_rank >= 2 ? b_rank - 1 : -1;
}

// max over output channels of sum |b|: what bounds a partial sum. For ConvTranspose the whole tensor bounds it.
int64_t IntegerGemm::largest_channel_sum(const Tensor& b) const {
  const int axis = channel_axis(b.rank());
  int64_t outer = 1, inner = 1;
  if (axis >= b.rank()) {
    throw_error(ErrorCode::kInvalidModel, "input 1 has shape {}, which is of too low a rank", to_string(b.shape()));
  }
  const int64_t channels = axis >= 0 ? b.dim(axis) : 1;
  for (int i = 0; i < b.rank(); ++i) (i < axis ? outer : i > axis ? inner : outer) *= i == axis ? 1 : b.dim(i);
  std::vector<double> sums(static_cast<size_t>(channels), 0.0);
  const float* data = b.data<float>().data();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < inner; ++i) sums[static_cast<size_t>(c)] += std::fabs(*data++);
    }
  }
  return channels == 0 ? 0 : static_cast<int64_t>(*std::max_element(sums.begin(), sums.end()));
}

std::vector<Term> IntegerGemm::prepare_terms(const Tensor& b, int64_t a_bound, Allocator* allocator,
                                             bool constant) const {
  const int64_t a_largest = plan_digits(a_bound, 8).largest;
  for (int bits : {8, 4, 2}) {
    const DigitPlan plan = plan_digits(magnitude_bound(b.dtype(), b_zero_), bits);
    std::vector<Term> terms;
    bool exact = true;
    for (Digit& digit : split_digits(b, b_zero_, plan, allocator)) {
      const int64_t sum = largest_channel_sum(digit.values);
      if (sum == 0 && !terms.empty()) continue;  // the high digit of 16-bit values that all fit 8 bits
      exact = exact && a_largest * sum < kExactFloat;
      terms.push_back({nullptr, std::move(digit.values), digit.shift});
    }
    if (!exact) continue;
    for (Term& term : terms) {
      term.kernel = make_kernel({inner_, {nullptr, constant ? &term.b : nullptr}, nullptr});
    }
    return terms;
  }
  throw_error(ErrorCode::kUnsupported, "the sum over input {} is too long for exact integer arithmetic",
              to_string(b.shape()));
}

Tensor IntegerGemm::run_term(const Term& term, const Tensor& a, Allocator* allocator) const {
  const Tensor* inputs[] = {&a, &term.b};
  Tensor outputs[1];
  OpCall call(inner_, inputs, outputs, allocator);
  term.kernel->run(call);
  return std::move(outputs[0]);
}

ChannelGrid IntegerGemm::channel_grid(const Tensor& y) const {
  if (!convolution_) return {y.rank() > 0 ? y.dim(y.rank() - 1) : 1, 1};
  if (y.layout() == Layout::kChannelsLast) return {y.dim(1), 1};
  int64_t spatial = 1;
  for (int i = 2; i < y.rank(); ++i) spatial *= y.dim(i);
  return {y.dim(1), spatial};
}

void IntegerGemm::run(OpCall& call) const {
  const Tensor& a = call.input(0);
  std::vector<Term> own_terms;
  const std::vector<Term>* terms = &terms_;
  const int64_t a_bound = magnitude_bound(a.dtype(), a_zero_);
  if (terms_.empty()) {
    own_terms = prepare_terms(call.input(1), a_bound, call.allocator(), false);
    terms = &own_terms;
  }
  std::vector<double> acc;
  Tensor y;  // shape and layout of the output
  for (const Digit& digit : split_digits(a, a_zero_, plan_digits(a_bound, 8), call.allocator())) {
    for (const Term& term : *terms) {
      y = run_term(term, digit.values, call.allocator());
      acc.resize(static_cast<size_t>(y.size()), 0.0);
      const float* part = y.data<float>().data();
      const double weight = std::ldexp(1.0, digit.shift + term.shift);
      parallel_for(y.size(), 1 << 15, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) acc[static_cast<size_t>(i)] += static_cast<double>(part[i]) * weight;
      });
    }
  }
  const ChannelGrid grid = channel_grid(y);
  if (bias_.size() > 1 && static_cast<int64_t>(bias_.size()) != grid.channels) {
    throw_error(ErrorCode::kInvalidModel, "the bias has {} elements, but the output has {} channels", bias_.size(),
                grid.channels);
  }
  if (!bias_.empty() && !acc.empty()) {
    for (int64_t r = 0; r < y.size() / grid.inner; ++r) {
      const double bias = bias_[bias_.size() == 1 ? 0 : static_cast<size_t>(r % grid.channels)];
      for (int64_t i = r * grid.inner; i < (r + 1) * grid.inner; ++i) acc[static_cast<size_t>(i)] += bias;
    }
  }
  for (size_t i = 0; i < forms_.size(); ++i) {
    Tensor& out = call.output(static_cast<int>(i), forms_[i].dtype, y.shape(), y.layout());
    requantize(acc, grid, a_scale_, b_scale_, forms_[i], out);
  }
}

std::unique_ptr<Kernel> make_integer_gemm(const KernelArgs& args) { return std::make_unique<IntegerGemm>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "IntegerConvTranspose", .make = make_integer_gemm, .any_layout = true, .domain = "twofold"},
};

}  // namespace

std::span<const OpDef> integer_gemm_ops() { return kOps; }

}  // namespace twofold
