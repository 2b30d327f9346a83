#include "python_samples.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include "arrays.h"
#include "base/error.h"

namespace nb = nanobind;

namespace twofold::python {

namespace {

// Called from the engine's threads, none of which holds the GIL.
class PythonSamples final : public SampleSource {
 public:
  explicit PythonSamples(nb::handle source) : source_(source) {}

  int64_t size() const override {
    const nb::gil_scoped_acquire gil;
    return nb::cast<int64_t>(source_.attr("size")());
  }

  std::map<std::string, Tensor> sample(int64_t i) const override {
    const nb::gil_scoped_acquire gil;
    std::map<std::string, Tensor> tensors;
    for (auto [key, array] : nb::cast<nb::dict>(source_.attr("sample")(i))) {
      const auto name = nb::cast<std::string>(key);
      tensors.emplace(name, copy_of(array, name, i));
    }
    return tensors;
  }

 private:
  // A copy, since the program may fill the same array with its next sample while this one is in use.
  static Tensor copy_of(nb::handle array, const std::string& name, int64_t i) {
    try {
      Tensor tensor = to_tensor(array, name);
      if (tensor.size() > 0) tensor.mutable_bytes();
      return tensor;
    } catch (const Error& error) {
      throw_error(error.code(), "sample {}: {}", i, error.what());
    }
  }

  nb::handle source_;
};

}  // namespace

Samples to_samples(nb::handle data) {
  Samples samples;
  if (nb::isinstance<nb::str>(data)) {
    samples.path = nb::cast<std::filesystem::path>(data);
  } else {
    samples.source = std::make_shared<PythonSamples>(data);
  }
  return samples;
}

}  // namespace twofold::python
