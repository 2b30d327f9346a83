// The functions of fake_quantize.h, on arrays of NumPy or of DLPack: never a copy.
#include "twofold/fake_quantize.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <optional>

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
}

}  // namespace twofold::python
