#include "twofold/session.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <chrono>

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

// Asks Python whether a run should end, at most 20 times a second, since that takes the GIL. Python runs the handlers
// of signals in its main thread alone: Ctrl-C raises KeyboardInterrupt there.
class AskPython {
 public:
  explicit AskPython(nb::handle cancelled) : cancelled_(cancelled) {}

  bool operator()() {
    const Clock::time_point now = Clock::now();
    if (now < next_ || (cancelled_.is_none() && !is_main_thread_)) return false;
    next_ = now + std::chrono::milliseconds(50);
    const nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    return !cancelled_.is_none() && nb::cast<bool>(nb::bool_(nb::borrow(cancelled_())));
  }

 private:
  using Clock = std::chrono::steady_clock;

  nb::handle cancelled_;
  const bool is_main_thread_ = gettid() == getpid();
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(50);
};

nb::dict run(const Session& session, const nb::dict& feeds, nb::handle cancelled) {
  std::vector<Tensor> outputs;
  {
    const std::vector<Tensor> inputs = collect_inputs(session, feeds);
    const nb::gil_scoped_release release;
    outputs = session.run(inputs, AskPython(cancelled));
  }
  nb::dict result;
  for (size_t i = 0; i < outputs.size(); ++i)
    result[session.outputs()[i].name.c_str()] = to_array(std::move(outputs[i]));
  return result;
}

void construct(Session* self, const std::variant<nb::bytes, std::filesystem::path>& model, int threads) {
  if (const auto* bytes = std::get_if<nb::bytes>(&model)) {
    const std::span<const std::byte> content(static_cast<const std::byte*>(bytes->data()), bytes->size());
    const nb::gil_scoped_release release;
    new (self) Session(content, ".", {threads});
    return;
  }
  const nb::gil_scoped_release release;
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
      .def("run", run, "inputs"_a, "cancelled"_a = nb::none(),
           "Runs on {input name: NumPy array}; returns {output name: array}. Arrays that are C-contiguous are not "
           "copied, outputs are not either, and the GIL is released. Between nodes, once in 50 ms, "
           "`cancelled` is called where it is given; if it returns True, the run raises twofold.Cancelled. In the "
           "main thread Ctrl-C ends a run in the same way, with KeyboardInterrupt.");
}

}  // namespace twofold::python
