#include "loops/broadcast.h"

#include <algorithm>

#include "base/check.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "loops/layout.h"

namespace twofold {

namespace {

// The shape with ones in front up to `rank`.
Shape padded(const Shape& shape, size_t rank) {
  Shape result(rank - shape.size(), 1);
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

// N, spatial..., C.
Shape channels_last_order(const Shape& shape) {
  Shape result = {shape[0]};
  result.insert(result.end(), shape.begin() + 2, shape.end());
  result.push_back(shape[1]);
  return result;
}

// True if a tensor of the shape lies in memory the same way in both layouts.
bool same_in_both_layouts(const Shape& shape) {
  return shape[1] == 1 || std::all_of(shape.begin() + 2, shape.end(), [](int64_t dim) { return dim == 1; });
}

Tensor in_layout(const Tensor& tensor, Layout layout, size_t rank) {
  if (layout == Layout::kPlain) return to_layout(tensor, Layout::kPlain);
  if (tensor.layout() == layout && static_cast<size_t>(tensor.rank()) == rank) return tensor;
  const Tensor plain = to_layout(tensor, Layout::kPlain).reshaped(padded(tensor.shape(), rank));
  return same_in_both_layouts(plain.shape()) ? plain : to_layout(plain, layout);
}

// Fills dims and strides from the inputs' shapes in memory order.
void merge_dims(Broadcast& plan, const Shape& order, const std::vector<Shape>& shapes) {
  std::vector<std::array<int64_t, kMaxBroadcastInputs>> strides(order.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    int64_t stride = 1;
    for (size_t d = order.size(); d-- > 0;) {
      strides[d][i] = shapes[i][d] == 1 ? 0 : stride;
      stride *= shapes[i][d];
    }
  }
  for (size_t d = 0; d < order.size(); ++d) {
    if (order[d] == 1) continue;
    bool merges = !plan.dims.empty();
    for (size_t i = 0; merges && i < shapes.size(); ++i) merges = plan.strides.back()[i] == strides[d][i] * order[d];
    if (merges) {
      plan.dims.back() *= order[d];
      plan.strides.back() = strides[d];
    } else {
      plan.dims.push_back(order[d]);
      plan.strides.push_back(strides[d]);
    }
  }
  if (plan.dims.empty()) {
    plan.dims = {1};
    plan.strides = {{1, 1, 1}};
  }
}

}  // namespace

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result = padded(a, rank);
  const Shape other = padded(b, rank);
  for (size_t d = 0; d < rank; ++d) {
    if (result[d] == other[d] || other[d] == 1) continue;
    if (result[d] != 1) {
      throw_error(ErrorCode::kInvalidModel, "shapes {} and {} do not broadcast", to_string(a), to_string(b));
    }
    result[d] = other[d];
  }
  return result;
}

Broadcast broadcast(std::span<const Tensor* const> inputs) {
  TWOFOLD_CHECK(!inputs.empty() && inputs.size() <= kMaxBroadcastInputs);
  Broadcast plan;
  plan.shape = inputs[0]->shape();
  for (const Tensor* input : inputs.subspan(1)) plan.shape = broadcast_shape(plan.shape, input->shape());
  const size_t rank = plan.shape.size();
  for (const Tensor* input : inputs) {
    if (input->layout() == Layout::kChannelsLast && static_cast<size_t>(input->rank()) == rank) {
      plan.layout = Layout::kChannelsLast;
    }
  }
  std::vector<Shape> shapes;
  const bool last = plan.layout == Layout::kChannelsLast;
  for (const Tensor* input : inputs) {
    plan.inputs.push_back(in_layout(*input, plan.layout, rank));
    const Shape shape = padded(input->shape(), rank);
    shapes.push_back(last ? channels_last_order(shape) : shape);
  }
  merge_dims(plan, last ? channels_last_order(plan.shape) : plan.shape, shapes);
  return plan;
}

void for_each_run(const Broadcast& plan, int64_t grain, const std::function<void(const BroadcastRun&)>& body) {
  const size_t outer = plan.dims.size() - 1, count = plan.inputs.size();
  const int64_t row = plan.row_size();
  parallel_for(num_elements(plan.shape), grain, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> index(outer);
    std::array<int64_t, kMaxBroadcastInputs> row_start{};
    int64_t rest = begin / row;
    for (size_t d = outer; d-- > 0;) {
      index[d] = rest % plan.dims[d];
      rest /= plan.dims[d];
      for (size_t i = 0; i < count; ++i) row_start[i] += index[d] * plan.strides[d][i];
    }
    for (int64_t out = begin, column = begin % row; out < end; column = 0) {
      BroadcastRun run{row_start, out, std::min(row - column, end - out)};
      for (size_t i = 0; i < count; ++i) run.in[i] += column * plan.step(i);
      body(run);
      out += run.size;
      for (size_t d = outer; d-- > 0;) {
        for (size_t i = 0; i < count; ++i) row_start[i] += plan.strides[d][i];
        if (++index[d] < plan.dims[d]) break;
        index[d] = 0;
        for (size_t i = 0; i < count; ++i) row_start[i] -= plan.dims[d] * plan.strides[d][i];
      }
    }
  });
}

void for_each_block(const Broadcast& plan, int64_t grain, int64_t size,
                    const std::function<void(const BroadcastBlock&)>& body) {
  const size_t outer = plan.dims.size() - 1, count = plan.inputs.size();
  const int64_t columns = plan.row_size();
  if (outer == 0 || 2 * columns > size) {
    return for_each_run(plan, grain, [&](const BroadcastRun& run) { body({run.in, run.out, 1, run.size, {}}); });
  }
  const int64_t neighbours = plan.dims[outer - 1];
  parallel_for(num_elements(plan.shape) / columns, std::max<int64_t>(1, grain / columns),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end;) {
                   BroadcastBlock block = {{}, row * columns, 1, columns, plan.strides[outer - 1]};
                   block.rows = std::min({neighbours - row % neighbours, end - row, size / columns});
                   int64_t rest = row;
                   for (size_t d = outer; d-- > 0; rest /= plan.dims[d]) {
                     for (size_t i = 0; i < count; ++i) block.in[i] += rest % plan.dims[d] * plan.strides[d][i];
                   }
                   body(block);
                   row += block.rows;
                 }
               });
}

}  // namespace twofold
