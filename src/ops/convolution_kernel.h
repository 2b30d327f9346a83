// What Conv and ConvTranspose on oneDNN share: attributes, packed weights, primitives by shape.
#ifndef TWOFOLD_SRC_OPS_CONVOLUTION_KERNEL_H_
#define TWOFOLD_SRC_OPS_CONVOLUTION_KERNEL_H_

#include <memory>
#include <vector>

#include "ops/dnnl_runtime.h"
#include "ops/window.h"

namespace twofold::onednn {

// X [N,C,spatial...], W, B [channels], then the tensors that the steps add; Y channels-last.
class ConvolutionKernel : public Kernel {
 public:
  void run(OpCall& call) const override;
  size_t packed_bytes() const override { return packed_ != nullptr ? packed_->byte_size() : 0; }

 protected:
  // Geometry of one call, as oneDNN takes it.
  struct Windows {
    Shape output;
    Dims strides, dilations, pad_begin, pad_end;

    Windows(int64_t batch, int64_t channels, const std::vector<WindowAxis>& axes);
  };

  explicit ConvolutionKernel(const KernelArgs& args);

  // A constant operand of the node, or nullptr.
  static const Tensor* constant(const KernelArgs& args, size_t input);
  void pack(const Tensor& weights);
  // Throws Error unless the weights are float32 [groups times n,..,spatial...]; `channels`: "input" or "output".
  void check_weights(const Tensor& weights, const char* channels) const;
  static void check_bias(const Tensor* bias, int64_t channels);

  // The primitive for an input shape, after all checks of shapes. An output without elements needs no primitive.
  virtual ReadyPrimitive make_primitive(const Shape& x, const Tensor& weights, const Tensor* bias) const = 0;
  // How oneDNN reads weights of ONNX's shape.
  virtual dnnl::memory::desc weights_desc(const Shape& weights) const = 0;

  // A primitive with the arguments that convolutions and deconvolutions share. `choose` makes the
  // primitive_desc from desc and attributes.
  template <typename Forward, typename Choose>
  ReadyPrimitive primitive_of(dnnl::algorithm algorithm, const Shape& x, const Shape& weights, bool has_bias,
                              const Windows& windows, const Choose& choose) const {
    ReadyPrimitive ready;
    ready.input = x;
    ready.output = windows.output;
    ready.source = float_desc(x, Layout::kChannelsLast);
    ready.destination = float_desc(ready.output, Layout::kChannelsLast);
    ready.addend = ready.destination;
    ready.bias = has_bias ? float_desc(Dims{ready.output[1]}, Dims{1}) : dnnl::memory::desc();
    const dnnl::primitive_attr attributes = make_attributes(steps_, ready.addend, ready.addend_arguments);
    const typename Forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, ready.source,
                                      any_float_desc(weights_desc(weights).dims()), ready.bias, ready.destination,
                                      windows.strides, windows.dilations, windows.pad_begin, windows.pad_end);
    const typename Forward::primitive_desc chosen = choose(desc, attributes);
    ready.primitive = Forward(chosen);
    ready.weights = chosen.weights_desc();
    ready.scratchpad = chosen.scratchpad_desc();
    if (packed_) ready.packed_weights = packed_->get(ready.weights);
    return ready;
  }

  const WindowAttributes window_;
  const int64_t group_;
  const FloatSteps steps_;

 private:
  std::unique_ptr<PackedOperand> packed_;  // the weights, where they are constant
  mutable PrimitiveCache primitives_;
};

}  // namespace twofold::onednn

#endif  // TWOFOLD_SRC_OPS_CONVOLUTION_KERNEL_H_
