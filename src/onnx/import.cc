#include "onnx/import.h"

#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "onnx/graph_reader.h"
#include "onnx/origins.h"

namespace twofold {

namespace {

void parse(std::span<const std::byte> bytes, onnx::ModelProto& model) {
  if (bytes.empty()) throw_error(ErrorCode::kInvalidModel, "the file is empty");
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw_error(ErrorCode::kInvalidModel,
                "the file is over 2 GB, which ONNX does not allow; save the model with external data");
  }
  google::protobuf::LogSilencer silent;  // what is wrong is said below
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    throw_error(ErrorCode::kInvalidModel, "the file is truncated or not an ONNX model");
  }
}

Graph read(std::span<const std::byte> bytes, const std::string& label,
           const std::vector<std::filesystem::path>& folders) {
  try {
    onnx::ModelProto model;
    parse(bytes, model);
    std::map<std::string, std::string> metadata;
    for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
      metadata.insert_or_assign(entry.key(), entry.value());
    }
    OriginsByNode origins;
    if (const auto it = metadata.find(kOriginsKey); it != metadata.end()) {
      origins = read_origins(it->second);
      metadata.erase(it);
    }
    Graph graph = read_model(model, folders, origins);
    graph.metadata = std::move(metadata);
    verify(graph);
    return graph;
  } catch (const Error& error) {
    throw_error(error.code(), "{}: {}", label, error.what());
  } catch (const std::bad_alloc&) {
    throw_error(ErrorCode::kResourceExhausted, "{}: out of memory", label);
  }
}

}  // namespace

Graph import_onnx(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  // Download caches make the model and its data links to files that lie together elsewhere.
  std::error_code error;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return read(file->bytes(), path.string(), {folder, error ? folder : real.parent_path()});
}

Graph import_onnx_bytes(std::span<const std::byte> model, const std::string& label,
                        const std::filesystem::path& folder) {
  if (folder.empty()) return read(model, label, {});
  return read(model, label, {folder});
}

}  // namespace twofold
