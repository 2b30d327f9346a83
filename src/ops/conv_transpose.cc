// ConvTranspose (ONNX opset 22): 1 to 3 spatial dimensions, groups, dilations, output_padding, output_shape.
#include <algorithm>

#include "base/parallel_for.h"
#include "ops/block_conv_transpose.h"
#include "ops/dnnl_runtime.h"
#include "ops/families.h"
#include "ops/layout.h"
#include "ops/window.h"

namespace twofold {

namespace {

using onednn::Dims;

// ONNX keeps the weights as [C,M/G,k...]; oneDNN names the same bytes [M,C,k...] or [G,M/G,C/G,k...].
dnnl::memory::desc weights_desc(const Shape& weights, int64_t group) {
  Dims dims = {group, weights[1], weights[0] / group};
  dims.insert(dims.end(), weights.begin() + 2, weights.end());
  const Dims plain = onednn::row_major_strides(weights);
  Dims strides = {weights[0] / group * plain[0], plain[1], plain[0]};
  strides.insert(strides.end(), plain.begin() + 2, plain.end());
  if (group > 1) return onednn::float_desc(dims, strides);
  return onednn::float_desc(Dims(dims.begin() + 1, dims.end()), Dims(strides.begin() + 1, strides.end()));
}

class ConvTransposeKernel final : public Kernel {
 public:
  explicit ConvTransposeKernel(const KernelArgs& args)
      : window_(WindowAttributes::read(args.node.attributes)),
        output_padding_(args.node.attributes.get_ints("output_padding", {})),
        output_shape_(args.node.attributes.get_ints("output_shape", {})),
        group_(args.node.attributes.get_int("group", 1)),
        epilogue_(get_epilogue(args.node.attributes)) {
    if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
    const auto constant = [&](size_t i) { return i < args.constants.size() ? args.constants[i] : nullptr; };
    if (const Tensor* weights = constant(1)) {
      check_weights(*weights);
      const Tensor* bias = constant(2);
      if (weights->size() == 0) return;
      if (is_tiling(*weights) && (args.node.input(2) == kNone || (bias != nullptr && fits(*bias, weights->dim(1))))) {
        blocks_ = std::make_unique<BlockConvTranspose>(*weights, bias != nullptr ? *bias : Tensor(), epilogue_);
      } else {
        packed_ = std::make_unique<onednn::PackedOperand>(*weights, weights_desc(weights->shape(), group_));
      }
    }
  }

  void run(OpCall& call) const override {
    onednn::require_float(call.input(0), "input X");
    spatial_rank(call.input(0).shape(), "input X");
    const Tensor x = to_layout(call.input(0), Layout::kChannelsLast);
    const Tensor& weights = call.input(1);
    const Tensor* bias = call.has_input(2) ? &call.input(2) : nullptr;
    if (blocks_) {
      check_shapes(x.shape(), weights, bias);
      Shape shape = {x.dim(0), weights.dim(1)};
      for (const WindowAxis& axis : axes(x.shape(), std::span(weights.shape()).subspan(2))) {
        shape.push_back(axis.output);
      }
      Tensor& y = call.output(0, DType::kFloat32, std::move(shape), Layout::kChannelsLast);
      if (y.size() > 0) blocks_->run(call, x, y);
      return;
    }
    onednn::PlanCache::Key key = x.shape();
    key.push_back(bias != nullptr);
    key.push_back(num_threads());
    key.insert(key.end(), weights.shape().begin(), weights.shape().end());
    const auto plan = plans_.get(key, [&] { return make_plan(x.shape(), weights, bias); });
    Tensor& y = call.output(0, DType::kFloat32, plan->output, Layout::kChannelsLast);
    if (y.size() == 0) return;
    onednn::Operands operands;
    operands.source = x.bytes();
    operands.weights = weights.bytes();
    if (!packed_) operands.weights_source = weights_desc(weights.shape(), group_);
    operands.bias = bias != nullptr ? bias->bytes() : nullptr;
    operands.destination = y.mutable_bytes();
    onednn::execute(*plan, operands, call);
  }

 private:
  void check_weights(const Tensor& weights) const {
    onednn::require_float(weights, "input W");
    spatial_rank(weights.shape(), "input W");
    if (weights.dim(0) % group_ != 0) {
      throw_error(ErrorCode::kInvalidModel, "input W has {} input channels, which {} groups cannot share",
                  weights.dim(0), group_);
    }
  }

  // Whether the windows of the kernel tile the output.
  bool is_tiling(const Tensor& weights) const {
    const auto kernel = std::span(weights.shape()).subspan(2);
    const auto all = [](const std::vector<int64_t>& values, int64_t value) {
      return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == value; });
    };
    const WindowAttributes window = window_.with_rank(static_cast<int>(kernel.size()), kernel);
    return group_ == 1 && window.auto_pad == AutoPad::kNotSet && output_shape_.empty() && all(output_padding_, 0) &&
           all(window.pads, 0) && all(window.dilations, 1) && std::ranges::equal(window.strides, kernel);
  }

  static bool fits(const Tensor& bias, int64_t channels) {
    return bias.dtype() == DType::kFloat32 && bias.shape() == Shape{channels};
  }

  // The axes, their output sizes and paddings as the operator's equations give them.
  std::vector<WindowAxis> axes(const Shape& x, std::span<const int64_t> kernel) const {
    const size_t count = kernel.size();
    const WindowAttributes window = window_.with_rank(static_cast<int>(count), kernel);
    if ((!output_padding_.empty() && output_padding_.size() != count) ||
        (!output_shape_.empty() && output_shape_.size() != count)) {
      throw_error(ErrorCode::kInvalidModel, "output_padding {} and output_shape {} must have {} values",
                  to_string(output_padding_), to_string(output_shape_), count);
    }
    std::vector<WindowAxis> result(count);
    for (size_t i = 0; i < count; ++i) {
      WindowAxis& axis = result[i];
      axis = {x[i + 2],
              0,
              window.kernel[i],
              window.strides[i],
              window.dilations[i],
              window.pads[i],
              window.pads[i + count]};
      const int64_t extra = output_padding_.empty() ? 0 : output_padding_[i];
      if (extra < 0 || extra >= std::max(axis.stride, axis.dilation)) {
        throw_error(ErrorCode::kInvalidModel, "output_padding {} must be below the stride or the dilation",
                    to_string(output_padding_));
      }
      if (axis.input < 1) throw_error(ErrorCode::kInvalidModel, "input X {} has no elements", to_string(x));
      int64_t full = 0;
      if (__builtin_mul_overflow(axis.input - 1, axis.stride, &full) || full > (int64_t{1} << 40)) {
        throw_error(ErrorCode::kResourceExhausted, "the output along spatial axis {} is too large", i);
      }
      full += extra + axis.extent();
      const bool same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
      if (output_shape_.empty() && !same) {
        axis.output = full - axis.pad_begin - axis.pad_end;
      } else {
        axis.output = output_shape_.empty() ? axis.input * axis.stride : output_shape_[i];
        const int64_t total = std::max<int64_t>(0, full - axis.output);
        axis.pad_begin = window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      }
      if (axis.output < 1) {
        throw_error(ErrorCode::kInvalidModel, "the output along spatial axis {} would have {} positions", i,
                    axis.output);
      }
      // What is left over at the end: negative where output_padding adds positions that nothing reaches.
      axis.pad_end = full - extra - axis.output - axis.pad_begin;
    }
    return result;
  }

  // Throws Error unless the weights and the bias fit the input; returns the number of output channels.
  int64_t check_shapes(const Shape& x, const Tensor& weights, const Tensor* bias) const {
    const int spatial = spatial_rank(x, "input X");
    check_weights(weights);
    const Shape& w = weights.shape();
    const int64_t channels = w[1] * group_;
    if (static_cast<int>(w.size()) != spatial + 2 || w[0] != x[1]) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {}", to_string(w), to_string(x));
    }
    if (bias == nullptr) return channels;
    onednn::require_float(*bias, "input B");
    if (bias->shape() != Shape{channels}) {
      throw_error(ErrorCode::kInvalidModel, "input B has shape {}, but the {} output channels need [{}]",
                  to_string(bias->shape()), channels, channels);
    }
    return channels;
  }

  onednn::Plan make_plan(const Shape& x, const Tensor& weights, const Tensor* bias) const {
    const int64_t channels = check_shapes(x, weights, bias);
    const Shape& w = weights.shape();
    onednn::Plan plan;
    plan.output = {x[0], channels};
    Dims strides, dilations, pad_begin, pad_end;
    for (const WindowAxis& axis : axes(x, std::span(w).subspan(2))) {
      plan.output.push_back(axis.output);
      strides.push_back(axis.stride);
      dilations.push_back(axis.dilation - 1);
      pad_begin.push_back(axis.pad_begin);
      pad_end.push_back(axis.pad_end);
    }
    if (num_elements(plan.output) == 0) return plan;
    if (weights.size() == 0) throw_error(ErrorCode::kInvalidModel, "input W {} has no elements", to_string(w));
    plan.source = onednn::float_desc(x, Layout::kChannelsLast);
    plan.destination = onednn::float_desc(plan.output, Layout::kChannelsLast);
    plan.addend = plan.destination;
    plan.bias = bias != nullptr ? onednn::float_desc(Dims{channels}, Dims{1}) : dnnl::memory::desc();
    const dnnl::primitive_attr attributes = onednn::make_attributes(epilogue_, plan.addend, plan.addend_arguments);
    using Forward = dnnl::deconvolution_forward;
    const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, plan.source,
                             onednn::any_float_desc(weights_desc(w, group_).dims()), plan.bias, plan.destination,
                             strides, dilations, pad_begin, pad_end);
    const Forward::primitive_desc chosen(desc, attributes, onednn::engine());
    plan.primitive = Forward(chosen);
    plan.weights = chosen.weights_desc();
    plan.scratchpad = chosen.scratchpad_desc();
    if (packed_) plan.packed_weights = packed_->get(plan.weights);
    return plan;
  }

  const WindowAttributes window_;
  const std::vector<int64_t> output_padding_, output_shape_;
  const int64_t group_;
  const Epilogue epilogue_;
  // Where the weights are constant, one of the two: the windows tile the output, or they do not.
  std::unique_ptr<BlockConvTranspose> blocks_;
  std::unique_ptr<onednn::PackedOperand> packed_;
  mutable onednn::PlanCache plans_;
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
