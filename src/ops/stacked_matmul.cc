#include "ops/stacked_matmul.h"

#include <algorithm>

#include "base/parallel_for.h"
#include "ops/dnnl_runtime.h"

namespace twofold {

using onednn::Dims;

namespace {

// How the elements of each matrix lie, in the terms of BLAS: rows `leading` elements apart, or columns if transposed.
struct MatrixForm {
  int64_t leading;
  bool transposed;
};

bool has_form(const MatrixStack& stack) {
  return stack.column_stride() == 1 || stack.row_stride() == 1 || stack.columns() == 1 || stack.rows() == 1;
}

MatrixForm form_of(const MatrixStack& stack) {
  const bool rows_lie_together = stack.column_stride() == 1 || (stack.columns() == 1 && stack.row_stride() != 1);
  if (rows_lie_together) return {std::max(stack.row_stride(), stack.columns()), false};
  return {std::max(stack.column_stride(), stack.rows()), true};
}

dnnl::memory::desc describe(const MatrixStack& stack) {
  const size_t rank = stack.shape.size();
  Dims strides = stack.strides;
  for (size_t i = 0; i + 2 < rank; ++i) {
    // Of no meaning, and 0 where a matrix is broadcast, which oneDNN does not take.
    if (stack.shape[i] == 1) strides[i] = stack.rows() * stack.columns();
  }
  const MatrixForm form = form_of(stack);
  strides[rank - 2] = form.transposed ? 1 : form.leading;
  strides[rank - 1] = form.transposed ? form.leading : 1;
  return onednn::float_desc(stack.shape, strides);
}

// The primitives of a node differ in shapes alone.
onednn::PrimitiveCache::Key key_of(const MatrixProduct& p) {
  onednn::PrimitiveCache::Key key = p.a.shape;
  key.insert(key.end(), p.b.shape.begin(), p.b.shape.end());
  key.push_back(num_threads());
  return key;
}

onednn::ReadyPrimitive make_primitive(const MatrixProduct& p, float alpha, bool accumulates) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (alpha != 1.0F) attributes.set_output_scales(0, {alpha});
  if (accumulates) {
    dnnl::post_ops ops;
    ops.append_sum(1.0F);
    attributes.set_post_ops(ops);
  }
  onednn::ReadyPrimitive made;
  made.source = describe(p.a);
  made.weights = describe(p.b);
  made.destination = describe(p.y);
  const dnnl::matmul::desc desc(made.source, made.weights, made.destination);
  const dnnl::matmul::primitive_desc chosen(desc, attributes, onednn::engine());
  made.primitive = dnnl::matmul(chosen);
  made.scratchpad = chosen.scratchpad_desc();
  return made;
}

}  // namespace

struct StackedMatMul::Primitives {
  onednn::PrimitiveCache cache;
};

StackedMatMul::StackedMatMul(float alpha, bool accumulates)
    : alpha_(alpha), accumulates_(accumulates), primitives_(std::make_unique<Primitives>()) {}

StackedMatMul::~StackedMatMul() = default;

bool StackedMatMul::takes(const MatrixProduct& p) {
  return p.k > 0 && has_form(p.a) && has_form(p.b) && (p.y.column_stride() == 1 || p.n == 1);
}

void StackedMatMul::run(const OpCall& call, const MatrixProduct& p, const float* a, const float* b, float* y) const {
  // Primitives copy B, or fill its columns up, and take two to four times as long as sgemm where one of the matrices is
  // a vector.
  const bool has_vector = p.m == 1 || p.n == 1;
  if (has_vector || p.y.shape.size() > DNNL_MAX_NDIMS) return run_one_by_one(p, a, b, y);
  const auto ready = primitives_->cache.get(key_of(p), [&] { return make_primitive(p, alpha_, accumulates_); });
  onednn::Operands operands;
  operands.source = a;
  operands.weights = b;
  operands.weights_source = ready->weights;
  operands.destination = y;
  onednn::execute(*ready, operands, call);
}

// sgemm takes memory in every call, except for vectors.
void StackedMatMul::run_one_by_one(const MatrixProduct& p, const float* a, const float* b, float* y) const {
  const MatrixForm left = form_of(p.a), right = form_of(p.b);
  for_each_product(p, [&](const MatrixProduct::Offsets& at) {
    const dnnl_status_t status = dnnl_sgemm(left.transposed ? 'T' : 'N', right.transposed ? 'T' : 'N', p.m, p.n, p.k,
                                            alpha_, a + at.a, left.leading, b + at.b, right.leading,
                                            accumulates_ ? 1.0F : 0.0F, y + at.y, std::max(p.y.row_stride(), p.n));
    if (status != dnnl_success)
      throw_error(ErrorCode::kUnsupported, "oneDNN cannot multiply [{},{}] by [{},{}]", p.m, p.k, p.k, p.n);
  });
}

}  // namespace twofold
