#include "loops/resample.h"

#include <algorithm>
#include <cstring>

#include "base/parallel_for.h"
#include "kernels/aligned_buffer.h"
#include "loops/element.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/resample.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// out = Σ_t weight_t · row_t, where row t starts at in + index_t * n; both tables advance by `step` per tap.
template <typename T>
void add_rows(const T* HWY_RESTRICT in, const int32_t* index, const float* weight, int64_t step, int64_t count,
              int64_t n, T* HWY_RESTRICT out) {
  const T* first = in + index[0] * n;
  const T w0 = weight[0];
  if (count == 2) {
    const T* second = in + index[step] * n;
    const T w1 = weight[step];
    for (int64_t i = 0; i < n; ++i) out[i] = w0 * first[i] + w1 * second[i];
    return;
  }
  for (int64_t i = 0; i < n; ++i) out[i] = w0 * first[i];
  for (int64_t t = 1; t < count; ++t) {
    const T* row = in + index[t * step] * n;
    const T w = weight[t * step];
    for (int64_t i = 0; i < n; ++i) out[i] += w * row[i];
  }
}

// out[x] = Σ_t weight_t[x] · in[index_t[x]].
template <typename T>
void add_elements(const T* HWY_RESTRICT in, const int32_t* HWY_RESTRICT index, const float* HWY_RESTRICT weight,
                  int64_t count, int64_t n, T* HWY_RESTRICT out) {
  if (count == 2) {
    for (int64_t x = 0; x < n; ++x) {
      out[x] = static_cast<T>(weight[x]) * in[index[x]] + static_cast<T>(weight[n + x]) * in[index[n + x]];
    }
    return;
  }
  for (int64_t x = 0; x < n; ++x) out[x] = static_cast<T>(weight[x]) * in[index[x]];
  for (int64_t t = 1; t < count; ++t) {
    index += n;
    weight += n;
    for (int64_t x = 0; x < n; ++x) out[x] += static_cast<T>(weight[x]) * in[index[x]];
  }
}

void add_rows_float(const float* in, const int32_t* index, const float* weight, int64_t step, int64_t count, int64_t n,
                    float* out) {
  add_rows(in, index, weight, step, count, n, out);
}
void add_rows_double(const double* in, const int32_t* index, const float* weight, int64_t step, int64_t count,
                     int64_t n, double* out) {
  add_rows(in, index, weight, step, count, n, out);
}
void add_elements_float(const float* in, const int32_t* index, const float* weight, int64_t count, int64_t n,
                        float* out) {
  add_elements(in, index, weight, count, n, out);
}
void add_elements_double(const double* in, const int32_t* index, const float* weight, int64_t count, int64_t n,
                         double* out) {
  add_elements(in, index, weight, count, n, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(add_rows_float);
HWY_EXPORT(add_rows_double);
HWY_EXPORT(add_elements_float);
HWY_EXPORT(add_elements_double);

void add_rows(const float* in, const int32_t* index, const float* weight, int64_t step, int64_t count, int64_t n,
              float* out) {
  HWY_DYNAMIC_DISPATCH(add_rows_float)(in, index, weight, step, count, n, out);
}
void add_rows(const double* in, const int32_t* index, const float* weight, int64_t step, int64_t count, int64_t n,
              double* out) {
  HWY_DYNAMIC_DISPATCH(add_rows_double)(in, index, weight, step, count, n, out);
}
void add_elements(const float* in, const int32_t* index, const float* weight, int64_t count, int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(add_elements_float)(in, index, weight, count, n, out);
}
void add_elements(const double* in, const int32_t* index, const float* weight, int64_t count, int64_t n, double* out) {
  HWY_DYNAMIC_DISPATCH(add_elements_double)(in, index, weight, count, n, out);
}

// Fewest elements worth a thread.
constexpr int64_t kGrain = 1 << 14;

int64_t grain(int64_t elements) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(elements, 1)); }

// One row of `inner`-element pixels, along x.
template <typename T>
void resample_row(const ResizeTaps& x, int64_t inner, const T* in, T* out) {
  if (inner == 1) return add_elements(in, x.index.data(), x.weight.data(), x.count, x.out, out);
  for (int64_t i = 0; i < x.out; ++i) {
    add_rows(in, x.index.data() + i, x.weight.data() + i, x.out, x.count, inner, out + i * inner);
  }
}

template <int factor, typename T>
void repeat_elements(const T* in, int64_t n, T* out) {
  for (int64_t i = 0; i < n; ++i) {
    for (int k = 0; k < factor; ++k) out[factor * i + k] = in[i];
  }
}

// One row of pixels, copied by index; single elements `repeats` times each, unless that is 0 or uncommon.
template <typename T>
void pick_row(const ResizeTaps& x, int64_t repeats, int64_t inner, const T* in, T* out) {
  if (inner > 1) {
    for (int64_t i = 0; i < x.out; ++i) {
      std::memcpy(out + i * inner, in + x.index[static_cast<size_t>(i)] * inner,
                  static_cast<size_t>(inner) * sizeof(T));
    }
    return;
  }
  switch (repeats) {
    case 2: return repeat_elements<2>(in, x.in, out);
    case 4: return repeat_elements<4>(in, x.in, out);
    case 8: return repeat_elements<8>(in, x.in, out);
    default: break;
  }
  for (int64_t i = 0; i < x.out; ++i) out[i] = in[x.index[static_cast<size_t>(i)]];
}

// How often each element is repeated, or 0 where that is not the same for all.
int64_t repeats_of(const ResizeTaps& x) {
  const int64_t factor = x.out / x.in;
  if (x.out != factor * x.in) return 0;
  for (int64_t i = 0; i < x.out; ++i) {
    if (x.index[static_cast<size_t>(i)] != i / factor) return 0;
  }
  return factor;
}

}  // namespace

template <typename T>
void resample_axis(const ResizeTaps& taps, int64_t outer, int64_t inner, const T* in, T* out) {
  if (inner == 1) {
    parallel_for(outer, grain(taps.out * taps.count), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) resample_row(taps, 1, in + o * taps.in, out + o * taps.out);
    });
    return;
  }
  parallel_for(outer * taps.out, grain(inner * taps.count), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = r % taps.out;
      add_rows(in + r / taps.out * taps.in * inner, taps.index.data() + i, taps.weight.data() + i, taps.out, taps.count,
               inner, out + r * inner);
    }
  });
}

template <typename T>
void resample_plane(const ResizeTaps& y, const ResizeTaps& x, int64_t outer, int64_t inner, const T* in, T* out,
                    Allocator* allocator) {
  const int64_t in_row = x.in * inner, out_row = x.out * inner;
  parallel_for(outer * y.out, grain(out_row * x.count), [&](int64_t begin, int64_t end) {
    kernels::AlignedVector<T> row(static_cast<size_t>(in_row), allocator);
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = r % y.out;
      add_rows(in + r / y.out * y.in * in_row, y.index.data() + i, y.weight.data() + i, y.out, y.count, in_row,
               row.data());
      resample_row(x, inner, row.data(), out + r * out_row);
    }
  });
}

void pick_plane(size_t element_size, const ResizeTaps& y, const ResizeTaps& x, int64_t outer, int64_t inner,
                const std::byte* in, std::byte* out) {
  const int64_t in_row = x.in * inner, out_row = x.out * inner;
  const int64_t repeats = repeats_of(x);
  with_word(element_size, [&]<typename T>() {
    const T* from = reinterpret_cast<const T*>(in);
    T* to = reinterpret_cast<T*>(out);
    parallel_for(outer * y.out, grain(out_row), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const auto i = static_cast<size_t>(r % y.out);
        if (r > begin && i > 0 && y.index[i] == y.index[i - 1]) {
          std::memcpy(to + r * out_row, to + (r - 1) * out_row, static_cast<size_t>(out_row) * sizeof(T));
        } else {
          pick_row(x, repeats, inner, from + (r / y.out * y.in + y.index[i]) * in_row, to + r * out_row);
        }
      }
    });
  });
}

template void resample_axis<float>(const ResizeTaps&, int64_t, int64_t, const float*, float*);
template void resample_axis<double>(const ResizeTaps&, int64_t, int64_t, const double*, double*);
template void resample_plane<float>(const ResizeTaps&, const ResizeTaps&, int64_t, int64_t, const float*, float*,
                                    Allocator*);
template void resample_plane<double>(const ResizeTaps&, const ResizeTaps&, int64_t, int64_t, const double*, double*,
                                     Allocator*);

}  // namespace twofold
#endif  // HWY_ONCE
