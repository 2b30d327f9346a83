// How kernels use oneDNN: engine, stream, descriptors, prepared primitives kept per input shape, packed weights.
// Included only by the files that run oneDNN primitives, since dnnl.hpp is heavy.
#ifndef TWOFOLD_SRC_OPS_DNNL_RUNTIME_H_
#define TWOFOLD_SRC_OPS_DNNL_RUNTIME_H_

#include <dnnl.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ops/float_steps.h"
#include "ops/op.h"

namespace twofold::onednn {

using Dims = dnnl::memory::dims;

const dnnl::engine& engine();
// One per thread: oneDNN streams are not thread-safe.
dnnl::stream& stream();

// Calls body() and turns what oneDNN throws into twofold::Error.
void guarded(const std::function<void()>& body);

// float32 [N,C,spatial...] in a tensor's layout.
dnnl::memory::desc float_desc(const Shape& shape, Layout layout);
// float32 with the strides given.
dnnl::memory::desc float_desc(const Dims& dims, const Dims& strides);
// float32 in whatever form the primitive likes best.
dnnl::memory::desc any_float_desc(const Dims& dims);
Dims row_major_strides(const Dims& dims);

dnnl::memory wrap(const dnnl::memory::desc& desc, const void* bytes);

// The post-ops of float steps, with the scratchpad left to the caller. `addend` describes the operands of steps; their
// argument indices are appended to `addend_arguments`. Throws Error(kUnsupported) where post_ops.h has none.
dnnl::primitive_attr make_attributes(const FloatSteps& steps, const dnnl::memory::desc& addend,
                                     std::vector<int>& addend_arguments);

// A constant operand in the forms that primitives asked for, each made once. Thread-safe.
class PackedOperand {
 public:
  // `source` describes the bytes of `tensor`.
  PackedOperand(Tensor tensor, dnnl::memory::desc source) : tensor_(std::move(tensor)), source_(std::move(source)) {}
  dnnl::memory get(const dnnl::memory::desc& desc);
  // Of the forms that are not the tensor's own.
  size_t byte_size() const;

 private:
  Tensor tensor_;
  dnnl::memory::desc source_;
  mutable std::mutex mutex_;
  std::vector<dnnl::memory> forms_;
};

// A primitive made ready for one combination of input shapes.
struct ReadyPrimitive {
  dnnl::primitive primitive;
  dnnl::memory::desc source, weights, bias, destination, scratchpad, addend;
  dnnl::memory packed_weights;  // empty if the weights are not constant
  std::vector<int> addend_arguments;
  Shape input;  // of a convolution; what its X has less of at the end of an axis is zeros
  Shape output;
};

// The primitives of a kernel by key (input shapes, layouts, threads); the least recently used goes when there are many,
// so that a model fed with ever new shapes does not grow. Thread-safe.
class PrimitiveCache {
 public:
  using Key = std::vector<int64_t>;
  std::shared_ptr<const ReadyPrimitive> get(const Key& key, const std::function<ReadyPrimitive()>& make);

 private:
  static constexpr size_t kCapacity = 64;
  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<const ReadyPrimitive>>> primitives_;  // most recently used first
};

// Runs a primitive. `weights` is read only if it has no packed ones; its form is `weights_source`.
// `addends` are the operands of float steps. Bytes may be null where it does not have the operand.
struct Operands {
  const void* source = nullptr;
  const void* weights = nullptr;
  dnnl::memory::desc weights_source;
  const void* bias = nullptr;
  std::vector<const void*> addends;
  void* destination = nullptr;
};
void execute(const ReadyPrimitive& ready, const Operands& operands, const OpCall& call);

// Throws Error(kUnsupported) unless the tensor is float32. `what`: e.g. "input X".
void require_float(const Tensor& tensor, const char* what);

}  // namespace twofold::onednn

#endif  // TWOFOLD_SRC_OPS_DNNL_RUNTIME_H_
