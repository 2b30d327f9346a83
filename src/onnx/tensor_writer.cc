#include "onnx/tensor_writer.h"

#include <onnx/onnx_pb.h>

#include "base/check.h"

namespace twofold {

namespace {

constexpr size_t kMinExternalBytes = 1024;
constexpr size_t kAlignment = 64;

void write_type(const Tensor& tensor, onnx::TensorProto& proto) {
  TWOFOLD_CHECK(tensor.layout() == Layout::kPlain);
  proto.set_data_type(static_cast<int>(tensor.dtype()));
  for (int64_t dim : tensor.shape()) proto.add_dims(dim);
}

void add_entry(onnx::TensorProto& proto, const char* key, std::string value) {
  onnx::StringStringEntryProto& entry = *proto.add_external_data();
  entry.set_key(key);
  entry.set_value(std::move(value));
}

}  // namespace

TensorWriter::TensorWriter(const std::optional<std::filesystem::path>& data_path) {
  if (!data_path) return;
  location_ = data_path->filename().string();
  data_.emplace(*data_path);
}

void TensorWriter::write_embedded(const Tensor& tensor, onnx::TensorProto& proto) {
  write_type(tensor, proto);
  proto.set_raw_data(tensor.bytes(), tensor.byte_size());
}

void TensorWriter::write_initializer(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  if (!data_ || tensor.byte_size() < kMinExternalBytes) return write_embedded(tensor, proto);
  write_type(tensor, proto);
  static constexpr char kZeros[kAlignment] = {};
  const size_t padding = (kAlignment - offset_ % kAlignment) % kAlignment;
  data_->write(kZeros, padding);
  offset_ += padding;
  proto.set_data_location(onnx::TensorProto_DataLocation_EXTERNAL);
  add_entry(proto, "location", location_);
  add_entry(proto, "offset", std::to_string(offset_));
  add_entry(proto, "length", std::to_string(tensor.byte_size()));
  data_->write(tensor.bytes(), tensor.byte_size());
  offset_ += tensor.byte_size();
}

void TensorWriter::commit() {
  if (!data_) return;
  data_->sync();
  data_->commit();
}

}  // namespace twofold
