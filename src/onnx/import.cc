#include "onnx/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/files.h"
#include "onnx/graph_reader.h"
#include "onnx/origins.h"

namespace twofold {

namespace {

// A model's bytes for protobuf. Where they are a mapped file's, the pages that have been parsed go, so that a big model
// is not in memory twice: weights in the file itself become tensors of their own, since few lie aligned there.
class ModelStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  ModelStream(std::span<const std::byte> bytes, const MappedFile* file) : bytes_(bytes), file_(file) {}

  // Ends early where the job is cancelled; protobuf knows no exceptions.
  bool Next(const void** data, int* size) override {
    try {
      throw_if_cancelled();
    } catch (...) {
      return false;
    }
    if (file_ != nullptr) file_->drop_pages(dropped_, position_);
    dropped_ = position_;
    const size_t count = std::min(kBlock, bytes_.size() - position_);
    *data = bytes_.data() + position_;
    *size = static_cast<int>(count);
    position_ += count;
    return count > 0;
  }
  void BackUp(int count) override { position_ -= static_cast<size_t>(count); }
  bool Skip(int count) override {
    const size_t skipped = std::min(static_cast<size_t>(count), bytes_.size() - position_);
    position_ += skipped;
    return skipped == static_cast<size_t>(count);
  }
  int64_t ByteCount() const override { return static_cast<int64_t>(position_); }

 private:
  static constexpr size_t kBlock = size_t{4} << 20;

  std::span<const std::byte> bytes_;
  const MappedFile* file_;
  size_t position_ = 0, dropped_ = 0;
};

// Messages in messages that protobuf may read, which takes some hundred bytes of stack for each. A body is three of
// them (attribute, graph, node), so that kMaxBodyDepth of them are far below, and the error about those is the reader's
// own.
constexpr int kMaxMessageDepth = 1000;
static_assert(kMaxMessageDepth > 6 * kMaxBodyDepth);

bool parse(google::protobuf::io::ZeroCopyInputStream& stream, onnx::ModelProto& model) {
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(kMaxMessageDepth);
  return model.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

void parse(std::span<const std::byte> bytes, const MappedFile* file, onnx::ModelProto& model) {
  if (bytes.empty()) throw_error(ErrorCode::kInvalidModel, "the file is empty");
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw_error(ErrorCode::kInvalidModel,
                "the file is over 2 GB, which ONNX does not allow; save the model with external data");
  }
  google::protobuf::LogSilencer silent;  // what is wrong is said below
  ModelStream stream(bytes, file);
  if (!parse(stream, model) || !model.has_graph()) {
    throw_if_cancelled();
    throw_error(ErrorCode::kInvalidModel,
                "the file is truncated, not an ONNX model, or has bodies of If, Loop and Scan nested more than {} deep",
                kMaxBodyDepth);
  }
}

// `file` may be null.
Graph read(std::span<const std::byte> bytes, const MappedFile* file, const std::string& label,
           const std::vector<std::filesystem::path>& folders) {
  try {
    onnx::ModelProto model;
    parse(bytes, file, model);
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
  return read(file->bytes(), file.get(), path.string(), {folder, error ? folder : real.parent_path()});
}

Graph import_onnx_bytes(std::span<const std::byte> model, const std::string& label,
                        const std::filesystem::path& folder) {
  if (folder.empty()) return read(model, nullptr, label, {});
  return read(model, nullptr, label, {folder});
}

}  // namespace twofold
