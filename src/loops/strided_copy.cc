#include "loops/strided_copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/parallel_for.h"
#include "loops/element.h"
#include "loops/transpose_block.h"

namespace twofold {

namespace {

// Fewest elements worth a thread.
constexpr int64_t kGrain = 1 << 15;

// Drops dimensions of one element, orders the rest by their step in the output, largest first, and merges neighbours
// that are one run on both sides.
std::vector<CopyDim> simplified(std::vector<CopyDim> dims) {
  std::erase_if(dims, [](const CopyDim& d) { return d.size == 1; });
  std::stable_sort(dims.begin(), dims.end(),
                   [](const CopyDim& a, const CopyDim& b) { return std::abs(a.out) > std::abs(b.out); });
  std::vector<CopyDim> merged;
  for (const CopyDim& d : dims) {
    if (!merged.empty() && merged.back().in == d.in * d.size && merged.back().out == d.out * d.size) {
      merged.back() = {merged.back().size * d.size, d.in, d.out};
    } else {
      merged.push_back(d);
    }
  }
  return merged;
}

// The two innermost dimensions, and how they are copied.
struct Plane {
  CopyDim rows, columns;
  bool transposed() const { return rows.in == 1 && columns.in != 1 && columns.out == 1; }
};

template <typename T>
void copy_row(const CopyDim& columns, const T* in, T* out) {
  if (columns.in == 1 && columns.out == 1) {
    if (columns.size >= 16) {
      std::memcpy(out, in, static_cast<size_t>(columns.size) * sizeof(T));
    } else {
      for (int64_t c = 0; c < columns.size; ++c) out[c] = in[c];
    }
  } else if (columns.in == 0 && columns.out == 1) {
    std::fill_n(out, columns.size, *in);
  } else {
    for (int64_t c = 0; c < columns.size; ++c) out[c * columns.out] = in[c * columns.in];
  }
}

template <typename T>
void copy_plane(const Plane& plane, const T* in, T* out, int64_t begin, int64_t end) {
  if (plane.transposed()) {
    return transpose_block(sizeof(T), {plane.columns.size, end - begin, plane.columns.in, plane.rows.out},
                           reinterpret_cast<const std::byte*>(in + begin),
                           reinterpret_cast<std::byte*>(out + begin * plane.rows.out));
  }
  for (int64_t r = begin; r < end; ++r) copy_row(plane.columns, in + r * plane.rows.in, out + r * plane.rows.out);
}

// Takes the two innermost dimensions off `dims`. A dimension that is contiguous in the input goes with one that is
// contiguous in the output, so that transposing touches each cache line once.
Plane take_plane(std::vector<CopyDim>& dims) {
  Plane plane{{1, 0, 0}, {1, 1, 1}};
  if (dims.empty()) return plane;
  plane.columns = dims.back();
  dims.pop_back();
  if (dims.empty()) return plane;
  auto rows = dims.end() - 1;
  if (plane.columns.in != 1) {
    const auto contiguous = std::find_if(dims.begin(), dims.end(), [](const CopyDim& d) { return d.in == 1; });
    if (contiguous != dims.end()) rows = contiguous;
  }
  plane.rows = *rows;
  dims.erase(rows);
  return plane;
}

template <typename T>
void copy_all(const std::vector<CopyDim>& outer, const Plane& plane, const T* in, T* out) {
  int64_t planes = 1;
  for (const CopyDim& d : outer) planes *= d.size;
  // Work is cut into groups of rows, so that one large plane is shared by all threads too.
  const int64_t group = std::clamp<int64_t>(kGrain / plane.columns.size / 64 * 64, 64, plane.rows.size + 64);
  const int64_t groups = (plane.rows.size + group - 1) / group;
  const int64_t elements = std::min(group, plane.rows.size) * plane.columns.size;
  parallel_for(planes * groups, std::max<int64_t>(1, kGrain / elements), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      int64_t index = task / groups, from = 0, to = 0;
      for (auto d = outer.rbegin(); d != outer.rend(); ++d) {
        from += index % d->size * d->in;
        to += index % d->size * d->out;
        index /= d->size;
      }
      const int64_t row = task % groups * group;
      copy_plane(plane, in + from, out + to, row, std::min(row + group, plane.rows.size));
    }
  });
}

}  // namespace

void strided_copy(size_t element_size, std::vector<CopyDim> dims, const std::byte* in, std::byte* out) {
  if (std::any_of(dims.begin(), dims.end(), [](const CopyDim& d) { return d.size <= 0; })) return;
  dims = simplified(std::move(dims));
  if (dims.size() == 1 && dims[0].size > kGrain) {
    // One long run: pieces that threads can share.
    const CopyDim run = dims[0];
    const int64_t whole = run.size / kGrain * kGrain;
    const auto bytes = static_cast<int64_t>(element_size);
    strided_copy(element_size, {{run.size - whole, run.in, run.out}}, in + whole * run.in * bytes,
                 out + whole * run.out * bytes);
    dims = {{run.size / kGrain, run.in * kGrain, run.out * kGrain}, {kGrain, run.in, run.out}};
  }
  const Plane plane = take_plane(dims);
  with_word(element_size,
            [&]<typename T>() { copy_all(dims, plane, reinterpret_cast<const T*>(in), reinterpret_cast<T*>(out)); });
}

std::vector<int64_t> element_strides(const Shape& shape, Layout layout) {
  std::vector<int64_t> strides(shape.size());
  int64_t step = 1;
  const auto place = [&](size_t axis) {
    strides[axis] = step;
    // The dimensions of an empty tensor may have a product that overflows; its strides are never used.
    step = static_cast<int64_t>(static_cast<uint64_t>(step) * static_cast<uint64_t>(shape[axis]));
  };
  const bool channels_last = layout == Layout::kChannelsLast;
  if (channels_last) place(1);
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (!(channels_last && axis == 1)) place(axis);
  }
  return strides;
}

}  // namespace twofold
