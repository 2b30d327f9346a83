#include "twofold/session.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "base/error.h"
#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

std::vector<std::string> names(const std::vector<TensorInfo>& infos) {
  std::vector<std::string> result;
  for (const TensorInfo& info : infos) result.push_back(info.name);
  return result;
}

nb::list describe(const std::vector<TensorInfo>& infos) {
  nb::list result;
  for (const TensorInfo& info : infos) {
    nb::dict entry;
    entry["name"] = info.name;
    entry["dtype"] = std::string(to_string(info.dtype));
    entry["shape"] = info.known_rank ? nb::cast(info.shape) : nb::none();
    result.append(entry);
  }
  return result;
}

std::vector<Tensor> collect_inputs(const Session& session, const nb::dict& feeds) {
  for (auto [key, value] : feeds) {
    const auto name = nb::cast<std::string>(key);
    const std::vector<std::string> known = names(session.inputs());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw_error(ErrorCode::kInvalidArgument, "the model has no input '{}'; its inputs are: {}", name,
                  fmt::join(known, ", "));
    }
  }
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : session.inputs()) {
    if (!feeds.contains(info.name.c_str())) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' was not given", info.name);
    }
    inputs.push_back(to_tensor(feeds[info.name.c_str()], info.name));
  }
  return inputs;
}

nb::dict run(const Session& session, const nb::dict& feeds) {
  const std::vector<Tensor> inputs = collect_inputs(session, feeds);
  std::vector<Tensor> outputs;
  {
    const nb::gil_scoped_release release;
    outputs = session.run(inputs);
  }
  nb::dict result;
  for (size_t i = 0; i < outputs.size(); ++i)
    result[session.outputs()[i].name.c_str()] = to_array(std::move(outputs[i]));
  return result;
}

void construct(Session* self, const std::variant<nb::bytes, std::filesystem::path>& model, int threads) {
  if (const auto* bytes = std::get_if<nb::bytes>(&model)) {
    const std::span<const std::byte> content(static_cast<const std::byte*>(bytes->data()), bytes->size());
    new (self) Session(content, ".", {threads});
    return;
  }
  new (self) Session(std::get<std::filesystem::path>(model), {threads});
}

}  // namespace

void bind_session(nb::module_& module) {
  nb::class_<Session>(module, "Session", "A loaded ONNX model (float or QDQ) that runs on Twofold's engine.")
      .def("__init__", construct, "model"_a, "threads"_a = 0,
           "Loads a file (path) or a model in memory (bytes). threads=0 uses all cores.")
      .def_prop_ro(
          "inputs", [](const Session& s) { return describe(s.inputs()); },
          "List of {name, dtype, shape}; dimensions that are not fixed are -1.")
      .def_prop_ro("outputs", [](const Session& s) { return describe(s.outputs()); })
      .def_prop_ro("input_names", [](const Session& s) { return names(s.inputs()); })
      .def_prop_ro("output_names", [](const Session& s) { return names(s.outputs()); })
      .def("run", run, "inputs"_a,
           "Runs on {input name: NumPy array}; returns {output name: array}. Arrays are not copied; the GIL is "
           "released.");
}

}  // namespace twofold::python
