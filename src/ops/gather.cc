// Gather, GatherElements and GatherND.
#include <algorithm>
#include <cstring>

#include "base/parallel_for.h"
#include "loops/element.h"
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

int64_t grain(int64_t elements) { return std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(elements, 1)); }

int64_t product(const Shape& shape, int64_t begin, int64_t end) {
  return num_elements({shape.begin() + begin, shape.begin() + end});
}

// out[o][i] = data[o][indices[i]] for rows of `inner` elements.
template <typename T>
void gather_rows(const T* data, const IntList& indices, int64_t outer, int64_t dim, int64_t inner, T* out) {
  const auto count = static_cast<int64_t>(indices.size());
  parallel_for(outer * count, grain(inner), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* from = data + (r / count * dim + indices[static_cast<size_t>(r % count)]) * inner;
      if (inner == 1) {
        out[r] = *from;
      } else {
        std::memcpy(out + r * inner, from, static_cast<size_t>(inner) * sizeof(T));
      }
    }
  });
}

void gather(OpCall& call) {
  const Tensor& data = call.input(0);
  const int64_t axis = normalize_axis(call.attributes().get_int("axis", 0), data.rank());
  const int64_t dim = data.dim(static_cast<int>(axis));
  const IntList indices = read_indices(call.input(1), dim, call.allocator());
  const Shape& in = data.shape();
  Shape shape(in.begin(), in.begin() + axis);
  shape.insert(shape.end(), call.input(1).shape().begin(), call.input(1).shape().end());
  shape.insert(shape.end(), in.begin() + axis + 1, in.end());
  Tensor& out = call.output(0, data.dtype(), std::move(shape));
  if (out.size() == 0) return;
  const int64_t outer = product(in, 0, axis), inner = product(in, axis + 1, data.rank());
  with_word(byte_size(data.dtype()),
            [&]<typename T>() { gather_rows(words<T>(data), indices, outer, dim, inner, mutable_words<T>(out)); });
}

// out[..., i, ...] = data[..., indices[..., i, ...], ...]; the box of indices may be smaller than that of data.
void gather_elements(OpCall& call) {
  const Tensor& data = call.input(0);
  const Tensor& index = call.input(1);
  require_rank(index, data.rank(), "the tensor of indices");
  const auto axis = static_cast<size_t>(normalize_axis(call.attributes().get_int("axis", 0), data.rank()));
  const IntList indices = read_indices(index, data.shape()[axis], call.allocator());
  for (size_t d = 0; d < index.shape().size(); ++d) {
    if (d != axis && index.shape()[d] > data.shape()[d]) {
      throw_error(ErrorCode::kInvalidModel, "the indices' shape {} is larger than the data's shape {}",
                  to_string(index.shape()), to_string(data.shape()));
    }
  }
  const std::vector<int64_t> in = element_strides(data.shape());
  const std::vector<int64_t> out = element_strides(index.shape());
  Tensor& y = call.output(0, data.dtype(), index.shape());
  with_word(byte_size(data.dtype()), [&]<typename T>() {
    const T* from = words<T>(data);
    T* to = mutable_words<T>(y);
    parallel_for(y.size(), 1 << 13, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t offset = indices[static_cast<size_t>(i)] * in[axis];
        int64_t rest = i;
        for (size_t d = 0; d < out.size(); ++d) {
          if (d != axis) offset += rest / out[d] * in[d];
          rest %= out[d];
        }
        to[i] = from[offset];
      }
    });
  });
}

void gather_nd(OpCall& call) {
  const Tensor& data = call.input(0);
  const Tensor& index = call.input(1);
  const int64_t batch = call.attributes().get_int("batch_dims", 0);
  if (index.rank() < 1 || batch < 0 || batch >= index.rank() || batch >= data.rank()) {
    throw_error(ErrorCode::kInvalidModel, "batch_dims {} does not fit data of shape {} and indices of shape {}", batch,
                to_string(data.shape()), to_string(index.shape()));
  }
  const Shape& in = data.shape();
  const Shape& at = index.shape();
  const int64_t depth = at.back();
  if (depth < 0 || depth > data.rank() - batch || !std::equal(in.begin(), in.begin() + batch, at.begin())) {
    throw_error(ErrorCode::kInvalidModel, "indices of shape {} do not fit data of shape {} with batch_dims {}",
                to_string(at), to_string(in), batch);
  }
  Shape shape(at.begin(), at.end() - 1);
  shape.insert(shape.end(), in.begin() + batch + depth, in.end());
  const int64_t batches = product(in, 0, batch);
  const int64_t inner = product(in, batch + depth, data.rank());
  const int64_t per_batch = product(at, batch, index.rank() - 1);
  const IntList rows = read_positions(index, {in.begin() + batch, in.begin() + batch + depth}, call.allocator());
  const int64_t rows_of_data = product(in, batch, batch + depth);
  Tensor& out = call.output(0, data.dtype(), std::move(shape));
  if (out.size() == 0) return;
  with_word(byte_size(data.dtype()), [&]<typename T>() {
    const T* from = words<T>(data);
    T* to = mutable_words<T>(out);
    parallel_for(batches * per_batch, grain(inner), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t row = r / per_batch * rows_of_data + rows[static_cast<size_t>(r)];
        std::memcpy(to + r * inner, from + row * inner, static_cast<size_t>(inner) * sizeof(T));
      }
    });
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "Gather", .run = gather},
    {.op_type = "GatherElements", .run = gather_elements},
    {.op_type = "GatherND", .run = gather_nd},
};

}  // namespace

std::span<const OpDef> gather_ops() { return kOps; }

}  // namespace twofold
