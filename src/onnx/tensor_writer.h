// Writes tensors as ONNX messages, large ones to a file of their own if there is one.
#ifndef TWOFOLD_SRC_ONNX_TENSOR_WRITER_H_
#define TWOFOLD_SRC_ONNX_TENSOR_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/files.h"
#include "twofold/tensor.h"

namespace onnx {
class TensorProto;
}

namespace twofold {

class TensorWriter {
 public:
  // Initializers of at least 1 KiB go to `data_path`, if there is one, which appears on commit() only; everything else
  // goes into the messages.
  explicit TensorWriter(const std::optional<std::filesystem::path>& data_path);

  void write_initializer(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);
  static void write_embedded(const Tensor& tensor, onnx::TensorProto& proto);
  // Bytes that have gone to `data_path`.
  uint64_t data_bytes() const { return data_ ? data_->size() : 0; }
  void commit();

 private:
  std::string location_;
  std::optional<AtomicFile> data_;
  size_t offset_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_TENSOR_WRITER_H_
