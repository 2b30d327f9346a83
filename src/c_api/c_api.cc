#include "twofold/c_api.h"

#include <atomic>
#include <cstring>
#include <exception>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "twofold/session.h"

struct twofold_session {
  const twofold::Session session;
};

struct twofold_result {
  const std::vector<twofold::Tensor> tensors;
};

struct twofold_kept_run {
  const twofold::KeptRun run;
};

struct twofold_cancellation {
  std::atomic<bool> cancelled = false;
};

namespace {

using twofold::DType;
using twofold::ErrorCode;
using twofold::Shape;
using twofold::Tensor;
using twofold::TensorInfo;
using twofold::throw_error;

// A signal handler may set it.
static_assert(std::atomic<bool>::is_always_lock_free);
// A cast turns one into the other.
static_assert(TWOFOLD_FLOAT32 == static_cast<int>(DType::kFloat32) && TWOFOLD_INT64 == static_cast<int>(DType::kInt64));
static_assert(TWOFOLD_BOOL == static_cast<int>(DType::kBool) && TWOFOLD_BFLOAT16 == static_cast<int>(DType::kBFloat16));

thread_local std::string last_error;

twofold_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return TWOFOLD_INVALID_ARGUMENT;
    case ErrorCode::kInvalidModel: return TWOFOLD_INVALID_MODEL;
    case ErrorCode::kUnsupported: return TWOFOLD_UNSUPPORTED;
    case ErrorCode::kNotFound: return TWOFOLD_NOT_FOUND;
    case ErrorCode::kIo: return TWOFOLD_IO;
    case ErrorCode::kResourceExhausted: return TWOFOLD_RESOURCE_EXHAUSTED;
    case ErrorCode::kCancelled: return TWOFOLD_CANCELLED;
  }
  return TWOFOLD_INTERNAL;
}

twofold_status failed(twofold_status status, const char* message) noexcept {
  try {
    last_error = message;
    for (char& c : last_error) {
      if (c == '\n') c = ' ';
    }
  } catch (...) {  // no memory for the message; "out of memory" needs none (small strings are stored in place)
    last_error = "out of memory";
  }
  return status;
}

// Calls body(), and makes a status of what it throws.
template <typename Body>
twofold_status guarded(const Body& body) noexcept {
  try {
    body();
    return TWOFOLD_OK;
  } catch (const twofold::Error& error) {
    return failed(status_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return failed(TWOFOLD_RESOURCE_EXHAUSTED, "out of memory");
  } catch (const std::exception& error) {
    return failed(TWOFOLD_INTERNAL, error.what());
  } catch (...) {
    return failed(TWOFOLD_INTERNAL, "unknown error");
  }
}

template <typename T>
T& given(T* pointer, const char* name) {
  if (pointer == nullptr) throw_error(ErrorCode::kInvalidArgument, "{} is NULL", name);
  return *pointer;
}

// The place for a new handle, which is NULL until there is one.
template <typename Handle>
Handle*& place(Handle** handle, const char* name) {
  Handle*& result = given(handle, name);
  result = nullptr;
  return result;
}

template <typename T>
const T& element(const std::vector<T>& elements, size_t index, const char* what) {
  if (index >= elements.size()) {
    throw_error(ErrorCode::kInvalidArgument, "there is no {} {}: there are {}, counted from 0", what, index,
                elements.size());
  }
  return elements[index];
}

twofold_tensor_info describe(const TensorInfo& info) {
  const int32_t rank = info.known_rank ? static_cast<int32_t>(info.shape.size()) : -1;
  return {info.name.c_str(), static_cast<twofold_dtype>(info.dtype), rank, rank > 0 ? info.shape.data() : nullptr};
}

twofold_tensor view(const Tensor& tensor) {
  const int rank = tensor.rank();
  return {static_cast<twofold_dtype>(tensor.dtype()), rank, rank > 0 ? tensor.shape().data() : nullptr, tensor.bytes(),
          tensor.byte_size()};
}

// No model has more axes; a larger number is no rank, and the shape is not read so far.
constexpr int32_t kMaxRank = 64;

// The caller's bytes as a tensor, for the time of one call. `what` is "input 'x'".
Tensor wrap(const twofold_tensor& tensor, const std::string& what) {
  const auto dtype = static_cast<DType>(tensor.dtype);
  if (!twofold::is_known(dtype)) {
    throw_error(ErrorCode::kInvalidArgument, "{} has the element type {}, which is none of twofold_dtype", what,
                static_cast<int>(tensor.dtype));
  }
  if (tensor.rank < 0 || tensor.rank > kMaxRank) {
    throw_error(ErrorCode::kInvalidArgument, "{} has rank {}", what, tensor.rank);
  }
  Shape shape;
  if (tensor.rank > 0) {
    if (tensor.shape == nullptr) throw_error(ErrorCode::kInvalidArgument, "the shape of {} is NULL", what);
    shape.assign(tensor.shape, tensor.shape + tensor.rank);
  }
  const size_t size = twofold::byte_size(dtype);
  const auto elements = static_cast<uint64_t>(twofold::num_elements(shape));
  if (tensor.bytes % size != 0 || tensor.bytes / size != elements) {
    throw_error(ErrorCode::kInvalidArgument, "{} has {} bytes; {} of shape {} takes {} elements of {} bytes", what,
                tensor.bytes, twofold::to_string(dtype), twofold::to_string(shape), elements, size);
  }
  if (tensor.bytes > 0 && tensor.data == nullptr) {
    throw_error(ErrorCode::kInvalidArgument, "the data of {} is NULL", what);
  }
  if (reinterpret_cast<uintptr_t>(tensor.data) % size != 0) {
    throw_error(ErrorCode::kInvalidArgument, "the data of {} must be aligned to {} bytes", what, size);
  }
  return Tensor::wrap(dtype, std::move(shape), tensor.data, nullptr);
}

std::vector<Tensor> wrap_inputs(const twofold::Session& session, const twofold_tensor* inputs, size_t count) {
  if (count > 0) given(inputs, "inputs");
  if (count != session.inputs().size()) {
    throw_error(ErrorCode::kInvalidArgument, "the model has {} inputs, but {} were given", session.inputs().size(),
                count);
  }
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < count; ++i) {
    const TensorInfo& info = session.inputs()[i];
    // Before the shape is read, which would be beyond its end.
    if (info.known_rank && static_cast<size_t>(inputs[i].rank) != info.shape.size()) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' must have shape {} (-1: any size), but rank {} was given",
                  info.name, twofold::to_string(info.shape), inputs[i].rank);
    }
    tensors.push_back(wrap(inputs[i], "input '" + info.name + "'"));
  }
  return tensors;
}

twofold::Cancelled asking(const twofold_cancellation* cancellation) {
  if (cancellation == nullptr) return nullptr;
  return [cancellation] { return cancellation->cancelled.load(std::memory_order_relaxed); };
}

std::vector<std::string> strings(const char* const* names, size_t count, const char* what) {
  if (count > 0) given(names, what);
  std::vector<std::string> result;
  for (size_t i = 0; i < count; ++i) result.emplace_back(&given(names[i], "a name"));
  return result;
}

// A result of its own: an output that is an input in other words would end with the caller's memory, once `tensors` is
// all that has it.
twofold_result* new_result(std::vector<Tensor> tensors) {
  for (Tensor& tensor : tensors) tensor.mutable_bytes();
  return new twofold_result{std::move(tensors)};
}

std::vector<Tensor> run_from(const twofold::KeptRun& kept, const char* const* names, const twofold_tensor* tensors,
                             size_t count, const twofold_cancellation* cancellation) {
  const std::vector<std::string> keys = strings(names, count, "names");
  if (count > 0) given(tensors, "tensors");
  std::map<std::string, Tensor> changed;
  for (size_t i = 0; i < count; ++i) changed[keys[i]] = wrap(tensors[i], "tensor '" + keys[i] + "'");
  return kept.run_from(changed, asking(cancellation));
}

}  // namespace

extern "C" {

const char* twofold_version(void) { return TWOFOLD_VERSION; }

const char* twofold_last_error(void) { return last_error.c_str(); }

twofold_status twofold_session_open(const char* path, int32_t threads, twofold_session** session) {
  return guarded([&] {
    twofold_session*& opened = place(session, "session");
    opened = new twofold_session{twofold::Session(std::filesystem::path(&given(path, "path")), {threads})};
  });
}

twofold_status twofold_session_open_bytes(const void* model, size_t size, const char* folder, int32_t threads,
                                          twofold_session** session) {
  return guarded([&] {
    twofold_session*& opened = place(session, "session");
    const auto* bytes = &given(static_cast<const std::byte*>(model), "model");
    opened = new twofold_session{twofold::Session({bytes, size}, folder != nullptr ? folder : ".", {threads})};
  });
}

twofold_status twofold_session_open_watching(const char* path, int32_t threads, const char* const* watched,
                                             size_t count, twofold_session** session) {
  return guarded([&] {
    twofold_session*& opened = place(session, "session");
    const twofold::SessionOptions options{threads, strings(watched, count, "watched")};
    opened = new twofold_session{twofold::Session(std::filesystem::path(&given(path, "path")), options)};
  });
}

void twofold_session_free(twofold_session* session) { delete session; }

twofold_status twofold_session_input_count(const twofold_session* session, size_t* count) {
  return guarded([&] { given(count, "count") = given(session, "session").session.inputs().size(); });
}

twofold_status twofold_session_output_count(const twofold_session* session, size_t* count) {
  return guarded([&] { given(count, "count") = given(session, "session").session.outputs().size(); });
}

twofold_status twofold_session_input(const twofold_session* session, size_t index, twofold_tensor_info* info) {
  return guarded(
      [&] { given(info, "info") = describe(element(given(session, "session").session.inputs(), index, "input")); });
}

twofold_status twofold_session_output(const twofold_session* session, size_t index, twofold_tensor_info* info) {
  return guarded(
      [&] { given(info, "info") = describe(element(given(session, "session").session.outputs(), index, "output")); });
}

twofold_status twofold_session_run(const twofold_session* session, const twofold_tensor* inputs, size_t count,
                                   const twofold_cancellation* cancellation, twofold_result** result) {
  return guarded([&] {
    twofold_result*& made = place(result, "result");
    const twofold::Session& opened = given(session, "session").session;
    made = new_result(opened.run(wrap_inputs(opened, inputs, count), asking(cancellation)));
  });
}

twofold_status twofold_result_count(const twofold_result* result, size_t* count) {
  return guarded([&] { given(count, "count") = given(result, "result").tensors.size(); });
}

twofold_status twofold_result_tensor(const twofold_result* result, size_t index, twofold_tensor* tensor) {
  return guarded([&] { given(tensor, "tensor") = view(element(given(result, "result").tensors, index, "output")); });
}

twofold_status twofold_result_copy(const twofold_result* result, size_t index, void* data, size_t bytes) {
  return guarded([&] {
    const Tensor& tensor = element(given(result, "result").tensors, index, "output");
    if (bytes != tensor.byte_size()) {
      throw_error(ErrorCode::kInvalidArgument, "output {} has {} bytes, but there is room for {}", index,
                  tensor.byte_size(), bytes);
    }
    if (bytes > 0) std::memcpy(&given(static_cast<std::byte*>(data), "data"), tensor.bytes(), bytes);
  });
}

void twofold_result_free(twofold_result* result) { delete result; }

twofold_status twofold_session_keep(const twofold_session* session, const twofold_tensor* inputs, size_t count,
                                    size_t memory_cap, const twofold_cancellation* cancellation,
                                    twofold_kept_run** kept) {
  return guarded([&] {
    twofold_kept_run*& made = place(kept, "kept");
    const twofold::Session& opened = given(session, "session").session;
    std::vector<Tensor> tensors = wrap_inputs(opened, inputs, count);
    for (Tensor& tensor : tensors) tensor.mutable_bytes();  // kept longer than the call
    made = new twofold_kept_run{opened.keep(tensors, memory_cap, asking(cancellation))};
  });
}

twofold_status twofold_kept_run_outputs(const twofold_kept_run* kept, twofold_result** result) {
  return guarded([&] { place(result, "result") = new twofold_result{given(kept, "kept").run.outputs()}; });
}

twofold_status twofold_kept_run_value(const twofold_kept_run* kept, const char* name,
                                      const twofold_cancellation* cancellation, twofold_result** result) {
  return guarded([&] {
    twofold_result*& made = place(result, "result");
    made = new twofold_result{{given(kept, "kept").run.value(&given(name, "name"), asking(cancellation))}};
  });
}

twofold_status twofold_kept_run_from(const twofold_kept_run* kept, const char* const* names,
                                     const twofold_tensor* tensors, size_t count,
                                     const twofold_cancellation* cancellation, twofold_result** result) {
  return guarded([&] {
    twofold_result*& made = place(result, "result");
    made = new_result(run_from(given(kept, "kept").run, names, tensors, count, cancellation));
  });
}

twofold_status twofold_kept_run_nodes(const twofold_kept_run* kept, const char* const* names, size_t count,
                                      size_t* nodes) {
  return guarded([&] {
    const twofold::KeptRun& run = given(kept, "kept").run;
    given(nodes, "nodes") = static_cast<size_t>(run.nodes_to_run(strings(names, count, "names")));
  });
}

twofold_status twofold_kept_run_bytes(const twofold_kept_run* kept, size_t* bytes) {
  return guarded([&] { given(bytes, "bytes") = given(kept, "kept").run.kept_bytes(); });
}

void twofold_kept_run_free(twofold_kept_run* kept) { delete kept; }

twofold_status twofold_cancellation_new(twofold_cancellation** cancellation) {
  return guarded([&] { place(cancellation, "cancellation") = new twofold_cancellation; });
}

void twofold_cancel(twofold_cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->cancelled.store(true, std::memory_order_relaxed);
}

void twofold_cancellation_free(twofold_cancellation* cancellation) { delete cancellation; }

}  // extern "C"
