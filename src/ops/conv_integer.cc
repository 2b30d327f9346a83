// ConvInteger (ONNX opset 10): exact sums of products of 8-bit integers, 1 to 3 spatial dimensions, with zero points
// that may be known at run time only, one of X and one per output channel of W. Padding is X's zero point.
#include <algorithm>
#include <array>

#include "kernels/conv.h"
#include "ops/centred_integers.h"
#include "ops/families.h"
#include "ops/kernel_axes.h"
#include "ops/window.h"

namespace twofold {

namespace {

class ConvInteger final : public Kernel {
 public:
  explicit ConvInteger(const KernelArgs& args)
      : window_(WindowAttributes::read(args.node.attributes)), group_(args.node.attributes.get_int("group", 1)) {
    if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
  }

  void run(OpCall& call) const override {
    const Tensor &x = call.input(0), &w = call.input(1);
    const Tensor* x_zero = call.has_input(2) ? &call.input(2) : nullptr;
    const std::vector<int32_t> x_zeros = read_zero_points(x_zero, x, "input X");
    if (x_zeros.size() != 1) throw_error(ErrorCode::kInvalidModel, "input X has more than one zero point");
    const int spatial = spatial_rank(x.shape(), "input X");
    const Shape& weights = w.shape();
    if (weights.size() != x.shape().size() || weights[1] * group_ != x.dim(1) || weights[0] % group_ != 0) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {} with group {}", to_string(weights),
                  to_string(x.shape()), group_);
    }
    const auto axes = window_axes(window_.with_rank(spatial, std::span(weights).subspan(2)), x.shape());
    Shape shape = {x.dim(0), weights[0]};
    for (const WindowAxis& axis : axes) shape.push_back(axis.output);
    std::span<int32_t> out = call.output(0, DType::kInt32, shape, Layout::kChannelsLast).mutable_data<int32_t>();
    if (out.empty()) return;
    const kernels::Conv conv = pack(call, x.dtype(), x_zeros[0]);
    Tensor sums = call.scratch(DType::kFloat64, shape);
    const kernels::OutputRows place{sums.mutable_bytes(), weights[0]};
    conv.run({x.dtype(), x.bytes(), x.dim(0), {x.shape().begin() + 2, x.shape().end()}, x.dim(1), x_zeros[0]},
             kernel_axes(axes), {&place, 1});
    std::ranges::transform(sums.data<double>(), out.begin(),
                           [](double sum) { return wrapped(static_cast<int64_t>(sum)); });
  }

 private:
  kernels::Conv pack(const OpCall& call, DType x_dtype, int32_t x_zero_point) const {
    const Tensor& w = call.input(1);
    const std::vector<int32_t> zeros = read_zero_points(call.has_input(3) ? &call.input(3) : nullptr, w, "input W");
    const int64_t channels = w.dim(0);
    if (zeros.size() != 1 && static_cast<int64_t>(zeros.size()) != channels) {
      throw_error(ErrorCode::kInvalidModel, "input W {} has {} zero points; it may have one, or one per output channel",
                  to_string(w.shape()), zeros.size());
    }
    const size_t per_channel = static_cast<size_t>(std::max<int64_t>(1, w.size() / channels));
    const CentredIntegers weights = centred(
        w, zeros, [=](size_t i) { return i / per_channel; }, call.allocator());
    std::array<int64_t, 3> kernel = {1, 1, 1};
    std::copy(w.shape().begin() + 2, w.shape().end(), kernel.end() - (w.rank() - 2));
    return {
        {weights.integers.dtype(), weights.integers.bytes(), channels, w.dim(1), kernel, group_, weights.zero_point},
        x_dtype,
        x_zero_point,
        {},
        std::array{exact_sum()},
        call.allocator()};
  }

  const WindowAttributes window_;
  const int64_t group_;
};

std::unique_ptr<Kernel> make_conv_integer(const KernelArgs& args) { return std::make_unique<ConvInteger>(args); }

constexpr OpDef kOps[] = {
    {.op_type = "ConvInteger", .make = make_conv_integer, .channels_last = 1},
};

}  // namespace

std::span<const OpDef> conv_integer_ops() { return kOps; }

}  // namespace twofold
