#include "ops/packed_matmul.h"

#include "base/parallel_for.h"
#include "ops/dnnl_runtime.h"

namespace twofold {

using onednn::Dims;

struct PackedMatMul::Prepared {
  onednn::PackedOperand weights;
  onednn::PrimitiveCache primitives;
};

PackedMatMul::PackedMatMul(Tensor weights, bool transposed, Tensor bias, FloatSteps steps)
    : bias_(std::move(bias)), steps_(std::move(steps)) {
  k_ = weights.dim(transposed ? 1 : 0);
  n_ = weights.dim(transposed ? 0 : 1);
  const Dims strides = transposed ? Dims{1, k_} : Dims{n_, 1};
  prepared_ = std::unique_ptr<Prepared>(new Prepared{{std::move(weights), onednn::float_desc({k_, n_}, strides)}, {}});
}

PackedMatMul::~PackedMatMul() = default;

size_t PackedMatMul::byte_size() const { return prepared_->weights.byte_size(); }

void PackedMatMul::run(const OpCall& call, int64_t m, const float* x, std::span<const float* const> addends,
                       float* y) const {
  const auto ready = prepared_->primitives.get({m, num_threads()}, [&] {
    onednn::ReadyPrimitive made;
    made.source = onednn::float_desc(Dims{m, k_}, Dims{k_, 1});
    made.destination = onednn::float_desc(Dims{m, n_}, Dims{n_, 1});
    made.addend = made.destination;
    if (bias_.defined()) made.bias = onednn::float_desc(Dims{1, n_}, Dims{n_, 1});
    const dnnl::primitive_attr attributes = onednn::make_attributes(steps_, made.addend, made.addend_arguments);
    const dnnl::matmul::desc desc(made.source, onednn::any_float_desc({k_, n_}), made.bias, made.destination);
    const dnnl::matmul::primitive_desc chosen(desc, attributes, onednn::engine());
    made.primitive = dnnl::matmul(chosen);
    made.weights = chosen.weights_desc();
    made.scratchpad = chosen.scratchpad_desc();
    made.packed_weights = prepared_->weights.get(made.weights);
    return made;
  });
  onednn::Operands operands;
  operands.source = x;
  operands.bias = bias_.defined() ? bias_.bytes() : nullptr;
  operands.addends.assign(addends.begin(), addends.end());
  operands.destination = y;
  onednn::execute(*ready, operands, call);
}

}  // namespace twofold
