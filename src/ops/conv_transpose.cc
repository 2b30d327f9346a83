// ConvTranspose (ONNX opset 22): 1 to 3 spatial dimensions, groups, dilations, output_padding, output_shape.
#include <algorithm>

#include "loops/layout.h"
#include "ops/block_conv_transpose.h"
#include "ops/convolution_kernel.h"
#include "ops/families.h"
#include "ops/transposed_window.h"

namespace twofold {

namespace {

using onednn::Dims;

class ConvTransposeKernel final : public onednn::ConvolutionKernel {
 public:
  explicit ConvTransposeKernel(const KernelArgs& args)
      : ConvolutionKernel(args), transposed_(TransposedWindow::read(args.node.attributes)) {
    if (const Tensor* weights = constant(args, 1)) {
      check_weights(*weights, "input");
      const Tensor* bias = constant(args, 2);
      if (weights->size() == 0) return;
      if (group_ == 1 && transposed_.tiles(std::span(weights->shape()).subspan(2)) &&
          (args.node.input(2) == kNone || (bias != nullptr && fits(*bias, weights->dim(1))))) {
        blocks_ = std::make_unique<BlockConvTranspose>(*weights, bias != nullptr ? *bias : Tensor(), steps_);
      } else {
        pack(*weights);
      }
    }
  }

  void run(OpCall& call) const override {
    if (!blocks_) return ConvolutionKernel::run(call);
    onednn::require_float(call.input(0), "input X");
    spatial_rank(call.input(0).shape(), "input X");
    const Tensor x = to_layout(call.input(0), Layout::kChannelsLast);
    const Tensor& weights = call.input(1);
    const Windows windows = check_shapes(x.shape(), weights, call.has_input(2) ? &call.input(2) : nullptr);
    Tensor& y = call.output(0, DType::kFloat32, windows.output, Layout::kChannelsLast);
    if (y.size() > 0) blocks_->run(call, x, y);
  }

  size_t packed_bytes() const override {
    return blocks_ != nullptr ? blocks_->byte_size() : ConvolutionKernel::packed_bytes();
  }

 private:
  static bool fits(const Tensor& bias, int64_t channels) {
    return bias.dtype() == DType::kFloat32 && bias.shape() == Shape{channels};
  }

  // Throws Error unless the weights and the bias fit the input.
  Windows check_shapes(const Shape& x, const Tensor& weights, const Tensor* bias) const {
    const int spatial = spatial_rank(x, "input X");
    check_weights(weights, "input");
    const Shape& w = weights.shape();
    if (static_cast<int>(w.size()) != spatial + 2 || w[0] != x[1]) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {}", to_string(w), to_string(x));
    }
    const int64_t channels = w[1] * group_;
    check_bias(bias, channels);
    return {x[0], channels, transposed_.axes(x, std::span(w).subspan(2))};
  }

  // ONNX keeps the weights as [C,M/G,k...]; oneDNN names the same bytes [M,C,k...] or [G,M/G,C/G,k...].
  dnnl::memory::desc weights_desc(const Shape& weights) const override {
    Dims dims = {group_, weights[1], weights[0] / group_};
    dims.insert(dims.end(), weights.begin() + 2, weights.end());
    const Dims plain = onednn::row_major_strides(weights);
    Dims strides = {weights[0] / group_ * plain[0], plain[1], plain[0]};
    strides.insert(strides.end(), plain.begin() + 2, plain.end());
    if (group_ > 1) return onednn::float_desc(dims, strides);
    return onednn::float_desc(Dims(dims.begin() + 1, dims.end()), Dims(strides.begin() + 1, strides.end()));
  }

  onednn::ReadyPrimitive make_primitive(const Shape& x, const Tensor& weights, const Tensor* bias) const override {
    Windows windows = check_shapes(x, weights, bias);
    const Shape& w = weights.shape();
    // oneDNN takes fewer positions that nothing reaches than a stride has: zeros behind X reach the others.
    Shape input = x;
    for (size_t i = 0; i < windows.strides.size(); ++i) {
      const int64_t zeros = std::max<int64_t>(0, -windows.pad_end[i] / windows.strides[i]);
      input[i + 2] += zeros;
      windows.pad_end[i] += zeros * windows.strides[i];
    }
    if (num_elements(windows.output) == 0) return {.output = windows.output};
    if (weights.size() == 0) throw_error(ErrorCode::kInvalidModel, "input W {} has no elements", to_string(w));
    using Forward = dnnl::deconvolution_forward;
    return primitive_of<Forward>(dnnl::algorithm::deconvolution_direct, input, w, bias != nullptr, windows,
                                 [](const auto& desc, const auto& attributes) {
                                   return Forward::primitive_desc(desc, attributes, onednn::engine());
                                 });
  }

  const TransposedWindow transposed_;
  std::unique_ptr<BlockConvTranspose> blocks_;  // where the weights are constant and the windows tile the output
};

std::unique_ptr<Kernel> make_conv_transpose(const KernelArgs& args) {
  return std::make_unique<ConvTransposeKernel>(args);
}

constexpr OpDef kOps[] = {
    {.op_type = "ConvTranspose", .make = make_conv_transpose, .channels_last = 1},
    {.op_type = "ConvTranspose", .make = make_conv_transpose, .channels_last = 1, .domain = kFusedDomain},
};

}  // namespace

std::span<const OpDef> conv_transpose_ops() { return kOps; }

}  // namespace twofold
