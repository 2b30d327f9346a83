// The functions of fake_quantize.h, on arrays of NumPy or of DLPack, and on memory: never a copy.
#include "twofold/fake_quantize.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

using Array = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Scales = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ScaleResult = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ZeroPoints = std::optional<nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;
using Integers = std::optional<std::pair<int32_t, int32_t>>;

template <typename T, typename... Options>
std::span<T> numbers(const nb::ndarray<T, Options...>& array) {
  return {array.data(), array.size()};
}

FakeQuantization how(const Array& x, const Scales& scale, const ZeroPoints& zero_point, const Integers& integers) {
  FakeQuantization result;
  result.outer = static_cast<int64_t>(x.shape(0));
  result.channels = static_cast<int64_t>(x.shape(1));
  result.inner = static_cast<int64_t>(x.shape(2));
  result.scale = numbers(scale);
  if (zero_point) result.zero_point = numbers(*zero_point);
  if (integers) result.integers = {integers->first, integers->second};
  return result;
}

void forward(const Array& x, const Scales& scale, const ZeroPoints& zero_point, const Integers& integers,
             const Result& y, int threads) {
  fake_quantize(how(x, scale, zero_point, integers), numbers(x), numbers(y), threads);
}

void backward(const Array& y_gradient, const Array& x, const Scales& scale, const ZeroPoints& zero_point,
              const Integers& integers, const Result& x_gradient, int threads) {
  fake_quantize_backward(how(x, scale, zero_point, integers), numbers(y_gradient), numbers(x), numbers(x_gradient),
                         threads);
}

void learned_backward(const Array& y_gradient, const Array& x, const Scales& scale, const ZeroPoints& zero_point,
                      const Integers& integers, double factor, const Result& x_gradient,
                      const ScaleResult& scale_gradient, int threads) {
  fake_quantize_learned_backward(how(x, scale, zero_point, integers), numbers(y_gradient), numbers(x), factor,
                                 numbers(x_gradient), numbers(scale_gradient), threads);
}

// Dense memory that the caller holds and has checked, by addresses: making an array of a tensor takes as long as fake
// quantization of a thousand numbers. `zero_point` is int64, or 0 where there is none.
class AtAddresses {
 public:
  AtAddresses(int64_t outer, int64_t channels, int64_t inner, uintptr_t scale, uintptr_t zero_point,
              const Integers& integers)
      : size_(static_cast<size_t>(outer * channels * inner)) {
    how_.outer = outer;
    how_.channels = channels;
    how_.inner = inner;
    how_.scale = {at<const float>(scale), static_cast<size_t>(channels)};
    if (integers) how_.integers = {integers->first, integers->second};
    const std::span<const int64_t> zeros(at<const int64_t>(zero_point), zero_point == 0 ? 0 : how_.scale.size());
    if (std::ranges::all_of(zeros, [](int64_t zero) { return zero == 0; })) return;
    for (const int64_t zero : zeros) {
      zeros_.push_back(static_cast<int32_t>(
          std::clamp<int64_t>(zero, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max())));
    }
    how_.zero_point = zeros_;
  }
  AtAddresses(const AtAddresses&) = delete;
  AtAddresses& operator=(const AtAddresses&) = delete;

  const FakeQuantization& how() const { return how_; }
  template <typename T>
  std::span<T> numbers(uintptr_t address) const {
    return {at<T>(address), size_};
  }
  std::span<float> scales(uintptr_t address) const { return {at<float>(address), how_.scale.size()}; }

 private:
  template <typename T>
  static T* at(uintptr_t address) {
    return reinterpret_cast<T*>(address);
  }

  size_t size_;
  std::vector<int32_t> zeros_;
  FakeQuantization how_;
};

void forward_at(uintptr_t x, int64_t outer, int64_t channels, int64_t inner, uintptr_t scale, uintptr_t zero_point,
                const Integers& integers, uintptr_t y, int threads) {
  const AtAddresses memory(outer, channels, inner, scale, zero_point, integers);
  fake_quantize(memory.how(), memory.numbers<const float>(x), memory.numbers<float>(y), threads);
}

void backward_at(uintptr_t y_gradient, uintptr_t x, int64_t outer, int64_t channels, int64_t inner, uintptr_t scale,
                 uintptr_t zero_point, const Integers& integers, uintptr_t x_gradient, int threads) {
  const AtAddresses memory(outer, channels, inner, scale, zero_point, integers);
  fake_quantize_backward(memory.how(), memory.numbers<const float>(y_gradient), memory.numbers<const float>(x),
                         memory.numbers<float>(x_gradient), threads);
}

void learned_backward_at(uintptr_t y_gradient, uintptr_t x, int64_t outer, int64_t channels, int64_t inner,
                         uintptr_t scale, uintptr_t zero_point, const Integers& integers, double factor,
                         uintptr_t x_gradient, uintptr_t scale_gradient, int threads) {
  const AtAddresses memory(outer, channels, inner, scale, zero_point, integers);
  fake_quantize_learned_backward(memory.how(), memory.numbers<const float>(y_gradient), memory.numbers<const float>(x),
                                 factor, memory.numbers<float>(x_gradient), memory.scales(scale_gradient), threads);
}

}  // namespace

void bind_fake_quantize(nb::module_& module) {
  using Unlocked = nb::call_guard<nb::gil_scoped_release>;
  module.def(
      "fake_quantize", &forward, Unlocked(), "x"_a.noconvert(), "scale"_a.noconvert(),
      "zero_point"_a.noconvert().none(), "integers"_a.none(), "y"_a.noconvert(), "threads"_a,
      "Writes to y what x, [outer, channels, inner], stands for once it is quantized. integers: (lowest, highest), "
      "or None for ec.");
  module.def("fake_quantize_backward", &backward, Unlocked(), "y_gradient"_a.noconvert(), "x"_a.noconvert(),
             "scale"_a.noconvert(), "zero_point"_a.noconvert().none(), "integers"_a.none(), "x_gradient"_a.noconvert(),
             "threads"_a, "Writes the straight-through gradient.");
  module.def("fake_quantize_learned_backward", &learned_backward, Unlocked(), "y_gradient"_a.noconvert(),
             "x"_a.noconvert(), "scale"_a.noconvert(), "zero_point"_a.noconvert().none(), "integers"_a.none(),
             "factor"_a, "x_gradient"_a.noconvert(), "scale_gradient"_a.noconvert(), "threads"_a,
             "Writes the straight-through gradient, and that of scales times factor.");
  module.def("fake_quantize_at", &forward_at, Unlocked(), "x"_a, "outer"_a, "channels"_a, "inner"_a, "scale"_a,
             "zero_point"_a, "integers"_a.none(), "y"_a, "threads"_a,
             "fake_quantize on addresses of dense memory; of int64 zero points, or 0.");
  module.def("fake_quantize_backward_at", &backward_at, Unlocked(), "y_gradient"_a, "x"_a, "outer"_a, "channels"_a,
             "inner"_a, "scale"_a, "zero_point"_a, "integers"_a.none(), "x_gradient"_a, "threads"_a,
             "fake_quantize_backward, likewise.");
  module.def("fake_quantize_learned_backward_at", &learned_backward_at, Unlocked(), "y_gradient"_a, "x"_a, "outer"_a,
             "channels"_a, "inner"_a, "scale"_a, "zero_point"_a, "integers"_a.none(), "factor"_a, "x_gradient"_a,
             "scale_gradient"_a, "threads"_a, "fake_quantize_learned_backward, likewise.");
}

}  // namespace twofold::python
