#include "ops/dnnl_runtime.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "ops/post_ops.h"

namespace twofold::onednn {

using dnnl::algorithm;
using dnnl::memory;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::stream& stream() {
  thread_local dnnl::stream one(engine());
  return one;
}

void guarded(const std::function<void()>& body) {
  try {
    body();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) {
      throw_error(ErrorCode::kResourceExhausted, "oneDNN ran out of memory: {}", error.what());
    }
    throw_error(ErrorCode::kUnsupported, "oneDNN cannot run this operator: {}", error.what());
  }
}

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * std::max<int64_t>(dims[i + 1], 1);
  return strides;
}

memory::desc float_desc(const Dims& dims, const Dims& strides) {
  return memory::desc(dims, memory::data_type::f32, strides);
}

memory::desc float_desc(const Shape& shape, Layout layout) {
  Dims strides = row_major_strides(shape);
  if (layout == Layout::kChannelsLast) {
    int64_t stride = shape[1];
    strides[1] = 1;
    for (size_t i = shape.size() - 1; i >= 2; --i) {
      strides[i] = stride;
      stride *= shape[i];
    }
    strides[0] = stride;
  }
  return float_desc(shape, strides);
}

memory::desc any_float_desc(const Dims& dims) {
  return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
}

memory wrap(const memory::desc& desc, const void* bytes) {
  return memory(desc, engine(), const_cast<void*>(bytes));  // oneDNN has no const memory; sources are only read
}

dnnl::primitive_attr make_attributes(const FloatSteps& steps, const memory::desc& addend,
                                     std::vector<int>& addend_arguments) {
  dnnl::post_ops ops;
  const auto eltwise = [&ops](algorithm kind, float alpha, float beta) { ops.append_eltwise(1.0F, kind, alpha, beta); };
  const std::optional<std::vector<PostOp>> computed = post_ops(steps);
  if (!computed) throw_error(ErrorCode::kUnsupported, "oneDNN cannot compute what is fused with this operator");
  for (const PostOp& op : *computed) {
    switch (op.kind) {
      case PostOp::Kind::kAdd:
        addend_arguments.push_back(DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1);
        ops.append_binary(algorithm::binary_add, addend);
        break;
      case PostOp::Kind::kLinear: eltwise(algorithm::eltwise_linear, op.alpha, op.beta); break;
      case PostOp::Kind::kRelu: eltwise(algorithm::eltwise_relu, op.alpha, 0); break;
      case PostOp::Kind::kClip: eltwise(algorithm::eltwise_clip, op.alpha, op.beta); break;
      case PostOp::Kind::kHardSwish: eltwise(algorithm::eltwise_hardswish, 0, 0); break;
      case PostOp::Kind::kSigmoid: eltwise(algorithm::eltwise_logistic, 0, 0); break;
      case PostOp::Kind::kTanh: eltwise(algorithm::eltwise_tanh, 0, 0); break;
      case PostOp::Kind::kSwish: eltwise(algorithm::eltwise_swish, op.alpha, 0); break;
      case PostOp::Kind::kGelu: eltwise(algorithm::eltwise_gelu_erf, 0, 0); break;
    }
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

memory PackedOperand::get(const memory::desc& desc) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const memory& form : forms_) {
    if (form.get_desc() == desc) return form;
  }
  const memory source = wrap(source_, tensor_.bytes());
  if (desc == source_) {
    forms_.push_back(source);
  } else {
    memory packed(desc, engine());
    dnnl::reorder(source, packed).execute(stream(), const_cast<memory&>(source), packed);
    forms_.push_back(packed);
  }
  return forms_.back();
}

size_t PackedOperand::byte_size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t bytes = 0;
  for (const memory& form : forms_) {
    if (form.get_desc() != source_) bytes += form.get_desc().get_size();
  }
  return bytes;
}

std::shared_ptr<const ReadyPrimitive> PrimitiveCache::get(const Key& key, const std::function<ReadyPrimitive()>& make) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = primitives_.begin(); it != primitives_.end(); ++it) {
      if (it->first != key) continue;
      primitives_.splice(primitives_.begin(), primitives_, it);
      return it->second;
    }
  }
  std::shared_ptr<const ReadyPrimitive> made;
  guarded([&] { made = std::make_shared<const ReadyPrimitive>(make()); });
  const std::lock_guard<std::mutex> lock(mutex_);
  primitives_.emplace_front(key, made);
  if (primitives_.size() > kCapacity) primitives_.pop_back();
  return made;
}

void execute(const ReadyPrimitive& ready, const Operands& operands, const OpCall& call) {
  guarded([&] {
    std::unordered_map<int, memory> arguments;
    arguments.emplace(DNNL_ARG_SRC, wrap(ready.source, operands.source));
    arguments.emplace(DNNL_ARG_DST, wrap(ready.destination, operands.destination));
    Tensor reordered;
    if (ready.packed_weights) {
      arguments.emplace(DNNL_ARG_WEIGHTS, ready.packed_weights);
    } else if (operands.weights_source == ready.weights) {
      arguments.emplace(DNNL_ARG_WEIGHTS, wrap(ready.weights, operands.weights));
    } else {
      reordered = call.scratch(DType::kUInt8, {static_cast<int64_t>(ready.weights.get_size())});
      memory from = wrap(operands.weights_source, operands.weights);
      memory to = wrap(ready.weights, reordered.bytes());
      dnnl::reorder(from, to).execute(stream(), from, to);
      arguments.emplace(DNNL_ARG_WEIGHTS, to);
    }
    if (operands.bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, wrap(ready.bias, operands.bias));
    for (size_t i = 0; i < ready.addend_arguments.size(); ++i) {
      arguments.emplace(ready.addend_arguments[i], wrap(ready.addend, operands.addends[i]));
    }
    Tensor scratchpad;
    if (const size_t size = ready.scratchpad.get_size(); size > 0) {
      scratchpad = call.scratch(DType::kUInt8, {static_cast<int64_t>(size)});
      arguments.emplace(DNNL_ARG_SCRATCHPAD, wrap(ready.scratchpad, scratchpad.bytes()));
    }
    ready.primitive.execute(stream(), arguments);
    stream().wait();
  });
}

void require_float(const Tensor& tensor, const char* what) {
  if (tensor.dtype() == DType::kFloat32) return;
  throw_error(ErrorCode::kUnsupported, "{} is {}; only float32 is supported here", what, to_string(tensor.dtype()));
}

}  // namespace twofold::onednn
