#include "ops/convolution_kernel.h"

#include <algorithm>

#include "base/parallel_for.h"
#include "loops/layout.h"
#include "loops/strided_copy.h"

namespace twofold::onednn {

namespace {

Tensor read_addend(const Tensor& addend, const Shape& output) {
  require_float(addend, "the tensor to add");
  if (addend.shape() != output) {
    throw_error(ErrorCode::kInvalidModel, "the tensor to add has shape {}, but the output has {}",
                to_string(addend.shape()), to_string(output));
  }
  return to_layout(addend, Layout::kChannelsLast);
}

// A channels-last tensor with zeros behind the end of its axes.
Tensor with_zeros_behind(const Tensor& x, const Shape& shape, const OpCall& call) {
  Tensor result(DType::kFloat32, shape, Layout::kChannelsLast, call.allocator());
  std::fill_n(result.mutable_data<float>().data(), result.size(), 0.0F);
  const std::vector<int64_t> from = element_strides(x.shape(), x.layout()), to = element_strides(shape, x.layout());
  std::vector<CopyDim> box;
  for (size_t d = 0; d < shape.size(); ++d) box.push_back({x.shape()[d], from[d], to[d]});
  strided_copy(sizeof(float), std::move(box), x.bytes(), result.mutable_bytes());
  return result;
}

}  // namespace

ConvolutionKernel::Windows::Windows(int64_t batch, int64_t channels, const std::vector<WindowAxis>& axes)
    : output{batch, channels} {
  for (const WindowAxis& axis : axes) {
    output.push_back(axis.output);
    strides.push_back(axis.stride);
    dilations.push_back(axis.dilation - 1);
    pad_begin.push_back(axis.pad_begin);
    pad_end.push_back(axis.pad_end);
  }
}

ConvolutionKernel::ConvolutionKernel(const KernelArgs& args)
    : window_(WindowAttributes::read(args.node.attributes)),
      group_(args.node.attributes.get_int("group", 1)),
      steps_(read_steps(args.node.attributes)) {
  if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
}

const Tensor* ConvolutionKernel::constant(const KernelArgs& args, size_t input) {
  return input < args.constants.size() ? args.constants[input] : nullptr;
}

void ConvolutionKernel::pack(const Tensor& weights) {
  packed_ = std::make_unique<PackedOperand>(weights, weights_desc(weights.shape()));
}

void ConvolutionKernel::check_weights(const Tensor& weights, const char* channels) const {
  require_float(weights, "input W");
  spatial_rank(weights.shape(), "input W");
  if (weights.dim(0) % group_ != 0) {
    throw_error(ErrorCode::kInvalidModel, "input W has {} {} channels, which {} groups cannot share", weights.dim(0),
                channels, group_);
  }
}

void ConvolutionKernel::check_bias(const Tensor* bias, int64_t channels) {
  if (bias == nullptr) return;
  require_float(*bias, "input B");
  if (bias->shape() != Shape{channels}) {
    throw_error(ErrorCode::kInvalidModel, "input B has shape {}, but the {} output channels need [{}]",
                to_string(bias->shape()), channels, channels);
  }
}

void ConvolutionKernel::run(OpCall& call) const {
  require_float(call.input(0), "input X");
  spatial_rank(call.input(0).shape(), "input X");
  const Tensor x = to_layout(call.input(0), Layout::kChannelsLast);
  const Tensor& weights = call.input(1);
  const Tensor* bias = call.has_input(2) ? &call.input(2) : nullptr;
  PrimitiveCache::Key key = x.shape();
  key.push_back(bias != nullptr);
  key.push_back(num_threads());
  key.insert(key.end(), weights.shape().begin(), weights.shape().end());
  const auto ready = primitives_.get(key, [&] { return make_primitive(x.shape(), weights, bias); });
  Tensor& y = call.output(0, DType::kFloat32, ready->output, Layout::kChannelsLast);
  if (y.size() == 0) return;
  Operands operands;
  const Tensor source = ready->input == x.shape() ? x : with_zeros_behind(x, ready->input, call);
  operands.source = source.bytes();
  operands.weights = weights.bytes();
  if (!packed_) operands.weights_source = weights_desc(weights.shape());
  operands.bias = bias != nullptr ? bias->bytes() : nullptr;
  std::vector<Tensor> addends;
  for (size_t i = 0; i < ready->addend_arguments.size(); ++i) {
    addends.push_back(read_addend(call.input(3 + static_cast<int>(i)), ready->output));
    operands.addends.push_back(addends.back().bytes());
  }
  operands.destination = y.mutable_bytes();
  execute(*ready, operands, call);
}

}  // namespace twofold::onednn
