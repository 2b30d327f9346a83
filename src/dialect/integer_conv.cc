// The kernel of IntegerConv (product_node.h): 1 to 3 spatial dimensions, activations in channels-last layout.
#include <optional>

#include "dialect/domain.h"
#include "dialect/ec_product.h"
#include "dialect/families.h"
#include "dialect/integer_convolution.h"
#include "ops/kernel_axes.h"
#include "ops/window.h"

namespace twofold {

namespace {

class IntegerConv final : public Kernel {
 public:
  explicit IntegerConv(const KernelArgs& args)
      : product_(args),
        window_(WindowAttributes::read(args.node.attributes)),
        group_(args.node.attributes.get_int("group", 1)) {
    if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
    if (const Tensor* weights = args.constants[1]) prepared_.emplace(prepare(*weights, nullptr));
  }

  void run(OpCall& call) const override {
    const Tensor &x = call.input(0), &weights = call.input(1);
    const int spatial = spatial_rank(x.shape(), "input X");
    const Shape& w = weights.shape();
    if (w.size() != x.shape().size() || w[1] * group_ != x.dim(1)) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {} with group {}", to_string(w),
                  to_string(x.shape()), group_);
    }
    const auto axes = window_axes(window_.with_rank(spatial, std::span(w).subspan(2)), x.shape());
    Shape shape = {x.dim(0), w[0]};
    for (const WindowAxis& axis : axes) shape.push_back(axis.output);
    ProductOutputs outputs(product_, call, shape, 1, Layout::kChannelsLast);
    if (num_elements(shape) == 0) return outputs.finish();
    std::optional<kernels::Conv> own;
    const kernels::Conv& conv = prepared_ ? *prepared_ : own.emplace(prepare(weights, call.allocator()));
    run_conv(product_, conv, x, kernel_axes(axes), outputs);
    outputs.finish();
  }

  bool reads_constant(int input) const override { return input != 1 || !prepared_; }
  size_t packed_bytes() const override { return prepared_ ? prepared_->packed_bytes() : 0; }

 private:
  kernels::Conv prepare(const Tensor& weights, Allocator* allocator) const {
    spatial_rank(weights.shape(), "input W");
    const int64_t channels = weights.dim(0);
    if (channels % group_ != 0) {
      throw_error(ErrorCode::kInvalidModel, "input W has {} output channels, which {} groups cannot share", channels,
                  group_);
    }
    product_.check_channels(channels);
    return pack_conv(product_, weights, group_, allocator);
  }

  const IntegerProduct product_;
  const WindowAttributes window_;
  const int64_t group_;
  std::optional<kernels::Conv> prepared_;  // where the weights are constant
};

std::unique_ptr<Kernel> make_integer_conv(const KernelArgs& args) {
  if (ec_passes(args.node) > 1) return make_ec_product(args);
  return std::make_unique<IntegerConv>(args);
}

constexpr OpDef kOps[] = {
    {.op_type = kIntegerConv, .make = make_integer_conv, .channels_last = kActivations, .domain = kDialect},
};

}  // namespace

std::span<const OpDef> integer_conv_ops() { return kOps; }

}  // namespace twofold
