#include "twofold/session.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <limits>
#include <map>
#include <optional>

#include "arrays.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "bindings.h"
#include "long_jobs.h"
#include "python_types.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

std::vector<std::string> names(const std::vector<TensorInfo>& infos) {
  std::vector<std::string> result;
  for (const TensorInfo& info : infos) result.push_back(info.name);
  return result;
}

TensorInfoRows describe(const std::vector<TensorInfo>& infos) {
  TensorInfoRows result = nb::list();
  for (const TensorInfo& info : infos) {
    nb::dict entry;
    entry["name"] = info.name;
    entry["dtype"] = std::string(to_string(info.dtype));
    entry["shape"] = info.known_rank ? nb::cast(info.shape) : nb::none();
    result.append(entry);
  }
  return result;
}

std::string name_of(nb::handle key) {
  if (!nb::isinstance<nb::str>(key)) {
    throw_error(ErrorCode::kInvalidArgument, "{} is no name of a tensor: it is of type {}, not str",
                nb::cast<std::string>(nb::repr(key)), nb::cast<std::string>(key.type().attr("__name__")));
  }
  return nb::cast<std::string>(key);
}

// The names of what a caller gives.
std::vector<std::string> names_of(const ArrayLikes& feeds) {
  if (!is_mapping(feeds)) {
    throw_error(ErrorCode::kInvalidArgument, "arrays are given as a mapping of names to arrays, not as type {}",
                nb::cast<std::string>(feeds.type().attr("__name__")));
  }
  std::vector<std::string> names;
  for (const nb::handle key : feeds) names.push_back(name_of(key));
  return names;
}

std::vector<Tensor> collect_inputs(const Session& session, const ArrayLikes& feeds) {
  for (const std::string& name : names_of(feeds)) {
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
    inputs.push_back(to_tensor(nb::object(feeds[info.name.c_str()]), info.name));
  }
  return inputs;
}

// Outputs that nobody else has become the caller's arrays; of others, copies do.
Arrays by_name(const std::vector<std::string>& names, std::vector<Tensor> outputs) {
  Arrays result = nb::dict();
  for (size_t i = 0; i < outputs.size(); ++i) result[names[i].c_str()] = to_array(std::move(outputs[i]));
  return result;
}

Arrays run(const Session& session, const ArrayLikes& feeds, CancelledCallable cancelled) {
  std::vector<Tensor> outputs;
  {
    const std::vector<Tensor> inputs = collect_inputs(session, feeds);
    const nb::gil_scoped_release release;
    outputs = session.run(inputs, AskPython(cancelled));
  }
  return by_name(names(session.outputs()), std::move(outputs));
}

// A kept run with the names of its outputs.
class NamedKeptRun {
 public:
  NamedKeptRun(KeptRun run, std::vector<std::string> output_names)
      : run_(std::move(run)), output_names_(std::move(output_names)) {}

  Arrays outputs() const {
    Arrays result = nb::dict();
    for (size_t i = 0; i < output_names_.size(); ++i) {
      result[output_names_[i].c_str()] = to_read_only_array(run_.outputs()[i]);
    }
    return result;
  }

  Array value(const std::string& name, CancelledCallable cancelled) const {
    Tensor tensor;
    {
      const nb::gil_scoped_release release;
      tensor = run_.value(name, AskPython(cancelled));
    }
    return to_read_only_array(std::move(tensor));
  }

  Arrays run_from(const ArrayLikes& changed, CancelledCallable cancelled) const {
    std::vector<Tensor> outputs;
    {
      std::map<std::string, Tensor> tensors;
      for (const std::string& name : names_of(changed)) {
        tensors.emplace(name, to_tensor(nb::object(changed[name.c_str()]), name));
      }
      const nb::gil_scoped_release release;
      outputs = run_.run_from(tensors, AskPython(cancelled));
    }
    return by_name(output_names_, std::move(outputs));
  }

  int64_t nodes_to_run(const std::vector<std::string>& names) const { return run_.nodes_to_run(names); }
  size_t kept_bytes() const { return run_.kept_bytes(); }

 private:
  KeptRun run_;
  std::vector<std::string> output_names_;
};

NamedKeptRun keep(const Session& session, const ArrayLikes& feeds, std::optional<size_t> memory_cap,
                  CancelledCallable cancelled) {
  const std::vector<Tensor> inputs = collect_inputs(session, feeds);
  const auto run = [&] {
    const nb::gil_scoped_release release;
    return session.keep(inputs, memory_cap.value_or(std::numeric_limits<size_t>::max()), AskPython(cancelled));
  };
  return {run(), names(session.outputs())};
}

void construct(Session* self, const std::variant<nb::bytes, std::filesystem::path>& model, int threads,
               const std::vector<std::string>& watched, bool ec_in_two_passes) {
  const SessionOptions options{.threads = threads, .watched = watched, .ec_in_two_passes = ec_in_two_passes};
  const Cancelled interrupted = AskPython(nb::none());
  const CancellationScope scope(interrupted);
  if (const auto* bytes = std::get_if<nb::bytes>(&model)) {
    const std::span<const std::byte> content(static_cast<const std::byte*>(bytes->data()), bytes->size());
    const nb::gil_scoped_release release;
    new (self) Session(content, ".", options);
    return;
  }
  const nb::gil_scoped_release release;
  new (self) Session(std::get<std::filesystem::path>(model), options);
}

void bind_kept_run(nb::module_& module) {
  nb::class_<NamedKeptRun>(
      module, "KeptRun",
      "One run of a session, whose tensors can be read and changed: Session.keep() makes it. A name "
      "stands for an input or a tensor that the session watches. Methods may run at once.")
      .def_prop_ro("outputs", &NamedKeptRun::outputs, "{output name: array}. The arrays are read-only, not copies.")
      .def_prop_ro("kept_bytes", &NamedKeptRun::kept_bytes, "Bytes of kept tensors, inputs and outputs not among them.")
      .def("value", &NamedKeptRun::value, "name"_a, "cancelled"_a = nb::none(),
           "A tensor of the run as a read-only array: the kept bytes, or computed again. Where the engine has only the "
           "integers of a float tensor, what they stand for.")
      .def("run_from", &NamedKeptRun::run_from, "changed"_a, "cancelled"_a = nb::none(),
           "The outputs, {output name: array}, as they are if the tensors of `changed`, {name: array}, have come out "
           "so. Runs only the nodes that depend on them. As for run(), arrays are not copied and the GIL is released.")
      .def("nodes_to_run", &NamedKeptRun::nodes_to_run, "names"_a,
           "How many nodes run_from() runs for a change of these tensors.");
}

}  // namespace

void bind_session(nb::module_& module) {
  bind_kept_run(module);
  nb::class_<Session>(module, "Session", "A loaded ONNX model (float or QDQ) that runs on Twofold's engine.")
      .def("__init__", construct, "model"_a, "threads"_a = 0, "watched"_a = std::vector<std::string>(),
           "ec_in_two_passes"_a = false,
           "Loads a file (path) or a model in memory (bytes); twofold.Session says what the others are.")
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
           "main thread Ctrl-C ends a run in the same way, with KeyboardInterrupt.")
      .def(
          "keep", keep, "inputs"_a, "memory_cap"_a = nb::none(), "cancelled"_a = nb::none(),
          "Runs as run() does and returns a KeptRun, which keeps the tensors that nodes compute for runs from the "
          "middle, in the order they are computed, up to `memory_cap` bytes (None: all). What does not fit is computed "
          "again where it is needed. Do not write to the input arrays while the KeptRun is there.");
}

}  // namespace twofold::python
