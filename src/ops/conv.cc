// Conv (ONNX opset 22): 1 to 3 spatial dimensions, groups, dilations; activations in channels-last layout.
#include <string_view>

#include "base/parallel_for.h"
#include "ops/dnnl_runtime.h"
#include "ops/families.h"
#include "ops/layout.h"
#include "ops/window.h"

namespace twofold {

namespace {

using onednn::Dims;
using Forward = dnnl::convolution_forward;

// The implementation to use: oneDNN's first choice, but for depthwise convolutions its plain JIT kernel, which is 1.3
// to 1.6 times as fast on channels-last data as the small matrix products that oneDNN 2.6 puts first.
Forward::primitive_desc choose(const Forward::desc& desc, const dnnl::primitive_attr& attributes, bool depthwise) {
  if (depthwise) {
    Forward::primitive_desc candidate(desc, attributes, onednn::engine());
    do {
      if (std::string_view(candidate.impl_info_str()).starts_with("jit_dw")) return candidate;
    } while (candidate.next_impl());
  }
  return Forward::primitive_desc(desc, attributes, onednn::engine());
}

// Weights as oneDNN wants them: [M,C,k...], or [G,M/G,C/G,k...] with groups.
Dims weight_dims(const Shape& weights, int64_t group) {
  Dims dims = weights;
  if (group == 1) return dims;
  dims[0] /= group;
  dims.insert(dims.begin(), group);
  return dims;
}

class ConvKernel final : public Kernel {
 public:
  explicit ConvKernel(const KernelArgs& args)
      : window_(WindowAttributes::read(args.node.attributes)),
        group_(args.node.attributes.get_int("group", 1)),
        epilogue_(get_epilogue(args.node.attributes)) {
    if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
    if (const Tensor* weights = args.constants.size() > 1 ? args.constants[1] : nullptr) {
      check_weights(*weights);
      const Dims dims = weight_dims(weights->shape(), group_);
      packed_ =
          std::make_unique<onednn::PackedOperand>(*weights, onednn::float_desc(dims, onednn::row_major_strides(dims)));
    }
  }

  void run(OpCall& call) const override {
    onednn::require_float(call.input(0), "input X");
    spatial_rank(call.input(0).shape(), "input X");
    const Tensor x = to_layout(call.input(0), Layout::kChannelsLast);
    const Tensor& weights = call.input(1);
    const Tensor* bias = call.has_input(2) ? &call.input(2) : nullptr;
    onednn::PlanCache::Key key = x.shape();
    key.push_back(bias != nullptr);
    key.push_back(num_threads());
    if (!packed_) key.insert(key.end(), weights.shape().begin(), weights.shape().end());
    const auto plan = plans_.get(key, [&] { return make_plan(x.shape(), weights, bias); });
    Tensor& y = call.output(0, DType::kFloat32, plan->output, Layout::kChannelsLast);
    if (y.size() == 0) return;
    onednn::Operands operands;
    operands.source = x.bytes();
    operands.weights = weights.bytes();
    if (!packed_) {
      const Dims dims = weight_dims(weights.shape(), group_);
      operands.weights_source = onednn::float_desc(dims, onednn::row_major_strides(dims));
    }
    operands.bias = bias != nullptr ? bias->bytes() : nullptr;
    std::vector<Tensor> addends;
    for (size_t i = 0; i < plan->addend_arguments.size(); ++i) {
      addends.push_back(read_addend(call.input(3 + static_cast<int>(i)), plan->output));
      operands.addends.push_back(addends.back().bytes());
    }
    operands.destination = y.mutable_bytes();
    onednn::execute(*plan, operands, call);
  }

 private:
  static Tensor read_addend(const Tensor& addend, const Shape& output) {
    onednn::require_float(addend, "the tensor to add");
    if (addend.shape() != output) {
      throw_error(ErrorCode::kInvalidModel, "the tensor to add has shape {}, but the output has {}",
                  to_string(addend.shape()), to_string(output));
    }
    return to_layout(addend, Layout::kChannelsLast);
  }

  void check_weights(const Tensor& weights) const {
    onednn::require_float(weights, "input W");
    spatial_rank(weights.shape(), "input W");
    if (weights.dim(0) % group_ != 0) {
      throw_error(ErrorCode::kInvalidModel, "input W has {} output channels, which {} groups cannot share",
                  weights.dim(0), group_);
    }
  }

  onednn::Plan make_plan(const Shape& x, const Tensor& weights, const Tensor* bias) const {
    const int spatial = spatial_rank(x, "input X");
    check_weights(weights);
    const Shape& w = weights.shape();
    if (w.size() != x.size() || w[1] * group_ != x[1]) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {} with group {}", to_string(w),
                  to_string(x), group_);
    }
    if (bias != nullptr) {
      onednn::require_float(*bias, "input B");
      if (bias->shape() != Shape{w[0]}) {
        throw_error(ErrorCode::kInvalidModel, "input B has shape {}, but the {} output channels need [{}]",
                    to_string(bias->shape()), w[0], w[0]);
      }
    }
    const auto axes = window_axes(window_.with_rank(spatial, std::span(w).subspan(2)), x);
    onednn::Plan plan;
    plan.output = {x[0], w[0]};
    Dims strides, dilations, pad_begin, pad_end;
    for (const WindowAxis& axis : axes) {
      plan.output.push_back(axis.output);
      strides.push_back(axis.stride);
      dilations.push_back(axis.dilation - 1);
      pad_begin.push_back(axis.pad_begin);
      pad_end.push_back(axis.pad_end);
    }
    if (num_elements(plan.output) == 0) return plan;
    if (num_elements(x) == 0) throw_error(ErrorCode::kInvalidModel, "input X {} has no elements", to_string(x));
    plan.destination = onednn::float_desc(plan.output, Layout::kChannelsLast);
    plan.addend = plan.destination;
    const dnnl::primitive_attr attributes = onednn::make_attributes(epilogue_, plan.addend, plan.addend_arguments);
    plan.source = onednn::float_desc(x, Layout::kChannelsLast);
    plan.bias = bias != nullptr ? onednn::float_desc(Dims{w[0]}, Dims{1}) : dnnl::memory::desc();
    const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, plan.source,
                             onednn::any_float_desc(weight_dims(w, group_)), plan.bias, plan.destination, strides,
                             dilations, pad_begin, pad_end);
    const bool depthwise = group_ > 1 && w[0] == group_ && w[1] == 1;
    const Forward::primitive_desc chosen = choose(desc, attributes, depthwise);
    plan.primitive = Forward(chosen);
    plan.weights = chosen.weights_desc();
    plan.scratchpad = chosen.scratchpad_desc();
    if (packed_) plan.packed_weights = packed_->get(plan.weights);
    return plan;
  }

  const WindowAttributes window_;
  const int64_t group_;
  const Epilogue epilogue_;
  std::unique_ptr<onednn::PackedOperand> packed_;  // the weights, where they are constant
  mutable onednn::PlanCache plans_;
};

std::unique_ptr<Kernel> make_conv(const KernelArgs& args) { return std::make_unique<ConvKernel>(args); }

constexpr uint32_t kDataAndAddends = ~uint32_t{0b110};

constexpr OpDef kOps[] = {
    {.op_type = "Conv", .make = make_conv, .channels_last = 1},
    {.op_type = "Conv", .make = make_conv, .channels_last = kDataAndAddends, .domain = kFusedDomain},
};

}  // namespace

std::span<const OpDef> conv_ops() { return kOps; }

}  // namespace twofold
