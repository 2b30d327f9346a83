#include "onnx/export.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <exception>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "onnx/graph_writer.h"
#include "onnx/origins.h"
#include "onnx/runtime_forms.h"
#include "onnx/uint8_activations.h"

namespace twofold {

namespace {

size_t constant_bytes(const Graph& graph) {
  size_t bytes = 0;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* tensor = graph.constant(id)) bytes += tensor->byte_size();
  }
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (!graph.has_node(id)) continue;
    for (const auto& [name, attribute] : graph.node(id).attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute)) bytes += constant_bytes(**body);
      if (const auto* tensor = std::get_if<Tensor>(&attribute)) bytes += tensor->byte_size();
    }
  }
  return bytes;
}

// Hands what protobuf writes to an AtomicFile; its errors wait until protobuf, which knows no exceptions, is done.
class FileStream final : public google::protobuf::io::CopyingOutputStream {
 public:
  explicit FileStream(AtomicFile& file) : file_(file) {}

  bool Write(const void* buffer, int size) override {
    try {
      file_.write(buffer, static_cast<size_t>(size));
      return true;
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
  }

  void rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  AtomicFile& file_;
  std::exception_ptr error_;
};

void write_message(const onnx::ModelProto& model, AtomicFile& file) {
  FileStream stream(file);
  bool written;
  {
    google::protobuf::io::CopyingOutputStreamAdaptor adaptor(&stream, 1 << 20);
    written = model.SerializeToZeroCopyStream(&adaptor) && adaptor.Flush();
  }
  stream.rethrow();
  if (!written) throw_error(ErrorCode::kIo, "the model cannot be written");
}

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

onnx::ModelProto message_of(const Graph& graph, TensorWriter& tensors) {
  onnx::ModelProto model;
  write_model(graph, tensors, model);
  model.set_producer_name("twofold");
  for (const auto& [key, value] : graph.metadata) add_metadata(model, key, value);
  if (const std::string origins = write_origins(graph); !origins.empty()) add_metadata(model, kOriginsKey, origins);
  if (model.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw_error(ErrorCode::kResourceExhausted, "the model takes more than 2 GB without its weights");
  }
  return model;
}

std::filesystem::path data_file_of(const std::filesystem::path& model) {
  return std::filesystem::path(model).concat(".data");
}

uint64_t write(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  AtomicFile file(path);
  std::optional<std::filesystem::path> data_path;
  if (constant_bytes(graph) > options.max_embedded_bytes) data_path = data_file_of(path);
  if (data_path && file.is_stream()) {
    throw_error(ErrorCode::kResourceExhausted,
                "more than 2 GB need a data file beside the model, so it must be a file");
  }
  TensorWriter tensors(data_path);
  write_message(message_of(graph, tensors), file);
  file.sync();
  tensors.commit();
  file.commit();
  return file.size() + tensors.data_bytes();
}

}  // namespace

uint64_t export_onnx(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  try {
    Graph changed = graph;
    use_runtime_forms(changed);
    if (options.uint8_activations) use_uint8_activations(changed);
    return write(changed, path, options);
  } catch (const Error& error) {
    throw_error(error.code(), "cannot write '{}': {}", path.string(), error.what());
  }
}

void claim_model(JobOutputs& outputs, const std::filesystem::path& path) {
  outputs.add_file(path);
  if (output_path(path).kind == OutputPath::Kind::kFile) outputs.add_file(data_file_of(path));
}

std::string export_onnx_bytes(const Graph& graph) {
  if (constant_bytes(graph) > kMaxEmbeddedBytes) {
    throw_error(ErrorCode::kResourceExhausted, "the model takes more than 2 GB, which a message in memory cannot");
  }
  Graph changed = graph;
  use_runtime_forms(changed);
  TensorWriter tensors(std::nullopt);
  return message_of(changed, tensors).SerializeAsString();
}

}  // namespace twofold
