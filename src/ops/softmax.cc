// Softmax, LogSoftmax and Hardmax (ONNX opset 13) along one axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel_for.h"
#include "loops/axis_split.h"
#include "loops/row_loops.h"
#include "loops/unary_loops.h"
#include "numeric/math.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 13;

enum class Kind { kSoftmax, kLogSoftmax, kHardmax };

void softmax_row(Kind kind, const float* x, float* y, int64_t n) {
  if (kind == Kind::kHardmax) {
    std::fill(y, y + n, 0.0F);
    y[std::max_element(x, x + n) - x] = 1.0F;
    return;
  }
  const float max = row_max(x, n);
  if (kind == Kind::kSoftmax) {
    const double sum = row_exp(x, max, y, n);
    row_affine(y, static_cast<float>(1.0 / sum), 0.0F, y, n);
  } else {
    const double sum = row_sum(RowSum::kExpShifted, x, n, max);
    const auto log_sum = static_cast<float>(math::core::log(sum));
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - max) - log_sum;
  }
}

// Softmax down the columns of `axis` rows that are `stride` apart, for n <= kColumns columns.
constexpr int64_t kColumns = 256;

void softmax_columns(Kind kind, const float* x, float* y, int64_t axis, int64_t stride, int64_t n) {
  float max[kColumns], scale[kColumns];
  double sum[kColumns] = {};
  const auto count = static_cast<size_t>(n);
  std::fill_n(max, count, -std::numeric_limits<float>::infinity());
  for (int64_t r = 0; r < axis; ++r) column_max(x + r * stride, max, n);
  switch (kind) {
    case Kind::kSoftmax:
      for (int64_t r = 0; r < axis; ++r) column_exp(x + r * stride, max, y + r * stride, sum, n);
      for (size_t i = 0; i < count; ++i) scale[i] = static_cast<float>(1.0 / sum[i]);
      for (int64_t r = 0; r < axis; ++r) column_scale(y + r * stride, scale, y + r * stride, n);
      return;
    case Kind::kLogSoftmax:
      for (int64_t r = 0; r < axis; ++r) column_sum(RowSum::kExpShifted, x + r * stride, max, sum, n);
      for (size_t i = 0; i < count; ++i) scale[i] = static_cast<float>(math::core::log(sum[i]));
      for (int64_t r = 0; r < axis; ++r) {
        for (int64_t i = 0; i < n; ++i) y[r * stride + i] = (x[r * stride + i] - max[i]) - scale[i];
      }
      return;
    case Kind::kHardmax:
      for (size_t i = 0; i < count; ++i) scale[i] = 1.0F;  // the first maximum takes it
      for (int64_t r = 0; r < axis; ++r) {
        for (int64_t i = 0; i < n; ++i) {
          const bool first = x[r * stride + i] == max[i];
          y[r * stride + i] = first ? scale[i] : 0.0F;
          scale[i] = first ? 0.0F : scale[i];
        }
      }
      return;
  }
}

template <Kind kind>
void softmax(OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = x.rank() == 0 ? 0 : normalize_axis(call.attributes().get_int("axis", -1), x.rank());
  const AxisSplit split = split_at(x.shape(), axis);
  const float* in = x.data<float>().data();
  float* out = call.output(0, DType::kFloat32, x.shape()).mutable_data<float>().data();
  if (x.size() == 0) return;
  if (split.inner == 1) {
    parallel_for(split.outer, std::max<int64_t>(1, kGrain / split.axis), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) softmax_row(kind, in + r * split.axis, out + r * split.axis, split.axis);
    });
    return;
  }
  const int64_t blocks = (split.inner + kColumns - 1) / kColumns;
  const int64_t block_work = split.axis * std::min(split.inner, kColumns);
  parallel_for(split.outer * blocks, std::max<int64_t>(1, kGrain / block_work), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b % blocks * kColumns;
      const int64_t offset = b / blocks * split.axis * split.inner + first;
      softmax_columns(kind, in + offset, out + offset, split.axis, split.inner,
                      std::min(kColumns, split.inner - first));
    }
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "Softmax", .run = with_16bit_floats<softmax<Kind::kSoftmax>>},
    {.op_type = "LogSoftmax", .run = with_16bit_floats<softmax<Kind::kLogSoftmax>>},
    {.op_type = "Hardmax", .run = with_16bit_floats<softmax<Kind::kHardmax>>},
};

}  // namespace

std::span<const OpDef> softmax_ops() { return kOps; }

}  // namespace twofold
