// Operators whose result depends on what the elements are: OneHot, NonZero, Compress, Trilu, ReverseSequence.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "loops/dtype_dispatch.h"
#include "loops/element.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

int64_t product(const Shape& shape, int64_t begin, int64_t end) {
  return num_elements({shape.begin() + begin, shape.begin() + end});
}

void one_hot(OpCall& call) {
  const Tensor& indices = call.input(0);
  const Tensor& values = call.input(2);
  const Tensor wide = cast(call.input(1), DType::kInt64);
  const int64_t depth = read_int(wide, "depth");
  if (depth < 1) throw_error(ErrorCode::kInvalidArgument, "depth must be positive, not {}", depth);
  if (values.rank() != 1 || values.size() != 2) {
    throw_error(ErrorCode::kInvalidModel, "values must be [off, on], but its shape is {}", to_string(values.shape()));
  }
  const int64_t axis = normalize_axis(call.attributes().get_int("axis", -1), indices.rank() + 1);
  Shape shape = indices.shape();
  shape.insert(shape.begin() + axis, depth);
  Tensor& out = call.output(0, values.dtype(), std::move(shape));
  const int64_t inner = product(indices.shape(), axis, indices.rank());
  const Tensor positions = cast(indices, DType::kInt64);
  const auto index = positions.data<int64_t>();
  with_word(byte_size(values.dtype()), [&]<typename T>() {
    T* to = mutable_words<T>(out);
    std::fill_n(to, out.size(), words<T>(values)[0]);
    for (size_t i = 0; i < index.size(); ++i) {
      // An index out of range has no "on" at all.
      if (index[i] < -depth || index[i] >= depth) continue;
      const int64_t hot = index[i] < 0 ? index[i] + depth : index[i];
      const auto k = static_cast<int64_t>(i);
      to[(k / inner * depth + hot) * inner + k % inner] = words<T>(values)[1];
    }
  });
}

// A float is zero also where its sign bit is set.
template <typename T>
bool is_zero(T word, bool is_float) {
  return is_float ? static_cast<T>(word << 1) == 0 : word == 0;
}

void non_zero(OpCall& call) {
  const Tensor& x = call.input(0);
  const bool is_float = x.dtype() == DType::kFloat32 || x.dtype() == DType::kFloat64 || x.dtype() == DType::kFloat16 ||
                        x.dtype() == DType::kBFloat16;
  std::vector<int64_t> found;
  with_word(byte_size(x.dtype()), [&]<typename T>() {
    for (int64_t i = 0; i < x.size(); ++i) {
      if (!is_zero(words<T>(x)[i], is_float)) found.push_back(i);
    }
  });
  const auto count = static_cast<int64_t>(found.size());
  Shape shape = x.shape();
  if (shape.empty()) shape.push_back(1);
  const auto rank = static_cast<int64_t>(shape.size());
  std::span<int64_t> out = call.output(0, DType::kInt64, {rank, count}).mutable_data<int64_t>();
  for (int64_t d = rank; d-- > 0;) {
    const int64_t dim = shape[static_cast<size_t>(d)];
    for (int64_t i = 0; i < count; ++i) {
      int64_t& rest = found[static_cast<size_t>(i)];
      out[static_cast<size_t>(d * count + i)] = rest % dim;
      rest /= dim;
    }
  }
}

void compress(OpCall& call) {
  const Tensor& condition = call.input(1);
  require_rank(condition, 1, "the condition");
  const bool flat = !call.attributes().has("axis");
  const Tensor x = flat ? call.input(0).reshaped({call.input(0).size()}) : call.input(0);
  const int64_t axis = flat ? 0 : normalize_axis(call.attributes().get_int("axis"), x.rank());
  const int64_t dim = x.dim(static_cast<int>(axis));
  const auto flags = condition.data<uint8_t>();
  std::vector<int64_t> kept;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] == 0) continue;
    kept.push_back(static_cast<int64_t>(i));
    if (kept.back() >= dim) {
      throw_error(ErrorCode::kInvalidArgument, "the condition selects element {} of a dimension of {}", i, dim);
    }
  }
  Shape shape = x.shape();
  shape[static_cast<size_t>(axis)] = static_cast<int64_t>(kept.size());
  const int64_t outer = product(x.shape(), 0, axis), inner = product(x.shape(), axis + 1, x.rank());
  Tensor& out = call.output(0, x.dtype(), std::move(shape));
  const size_t run = static_cast<size_t>(inner) * byte_size(x.dtype());
  std::byte* to = out.mutable_bytes();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k : kept) to = std::copy_n(x.bytes() + static_cast<size_t>(o * dim + k) * run, run, to);
  }
}

void trilu(OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.rank() < 2) throw_error(ErrorCode::kInvalidModel, "the input must have rank 2 or more");
  const bool upper = call.attributes().get_int("upper", 1) != 0;
  const int64_t rows = x.dim(x.rank() - 2), columns = x.dim(x.rank() - 1);
  int64_t k = call.has_input(1) ? read_int(call.input(1), "k") : 0;
  k = std::clamp<int64_t>(k, -rows - 1, columns + 1);
  Tensor& out = call.output(0, x.dtype(), x.shape());
  if (x.size() == 0) return;
  with_word(byte_size(x.dtype()), [&]<typename T>() {
    const T* from = words<T>(x);
    T* to = mutable_words<T>(out);
    for (int64_t r = 0; r < x.size() / columns; ++r, from += columns, to += columns) {
      // Columns before `split` are on or below diagonal k - 1 (upper) or k (lower).
      const int64_t split = std::clamp<int64_t>(r % rows + k + (upper ? 0 : 1), 0, columns);
      for (int64_t c = 0; c < columns; ++c) to[c] = (c >= split) == upper ? from[c] : T{0};
    }
  });
}

void reverse_sequence(OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.rank() < 2) throw_error(ErrorCode::kInvalidModel, "the input must have rank 2 or more");
  const int64_t batch_axis = normalize_axis(call.attributes().get_int("batch_axis", 1), x.rank());
  const int64_t time_axis = normalize_axis(call.attributes().get_int("time_axis", 0), x.rank());
  if (batch_axis + time_axis != 1) {
    throw_error(ErrorCode::kInvalidModel, "batch_axis and time_axis must be 0 and 1 or 1 and 0");
  }
  const int64_t batches = x.dim(static_cast<int>(batch_axis)), times = x.dim(static_cast<int>(time_axis));
  const IntList lengths = read_ints(call.input(1), "sequence_lens", call.allocator());
  if (static_cast<int64_t>(lengths.size()) != batches) {
    throw_error(ErrorCode::kInvalidModel, "sequence_lens has {} values for {} batches", lengths.size(), batches);
  }
  const size_t run = static_cast<size_t>(product(x.shape(), 2, x.rank())) * byte_size(x.dtype());
  Tensor& out = call.output(0, x.dtype(), x.shape());
  std::byte* to = out.mutable_bytes();
  const auto at = [&](int64_t b, int64_t t) {
    return static_cast<size_t>(batch_axis == 0 ? b * times + t : t * batches + b) * run;
  };
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t length = lengths[static_cast<size_t>(b)];
    if (length < 0 || length > times) {
      throw_error(ErrorCode::kInvalidArgument, "a sequence of {} does not fit {} steps", length, times);
    }
    for (int64_t t = 0; t < times; ++t) {
      std::copy_n(x.bytes() + at(b, t < length ? length - 1 - t : t), run, to + at(b, t));
    }
  }
}

constexpr OpDef kOps[] = {
    {.op_type = "OneHot", .run = one_hot},
    {.op_type = "NonZero", .run = non_zero},
    {.op_type = "Compress", .run = compress},
    {.op_type = "Trilu", .run = trilu},
    {.op_type = "ReverseSequence", .run = reverse_sequence},
};

}  // namespace

std::span<const OpDef> select_ops() { return kOps; }

}  // namespace twofold
