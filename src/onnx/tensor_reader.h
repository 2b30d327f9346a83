// Reads ONNX's tensors in all their encodings.
#ifndef TWOFOLD_SRC_ONNX_TENSOR_READER_H_
#define TWOFOLD_SRC_ONNX_TENSOR_READER_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "twofold/tensor.h"

namespace onnx {
class SparseTensorProto;
class TensorProto;
}  // namespace onnx

namespace twofold {

// Checks every size against what the message or the external file holds before it allocates anything.
class TensorReader {
 public:
  // External data may lie below any of `folders`, and is looked up in the first; none: external data is refused.
  explicit TensorReader(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}

  // Raw data moves out of `proto` and external data is mapped; only typed fields are converted. `what` begins messages,
  // e.g. "initializer 'w'". Throws Error: kUnsupported for types that are not in DType, kInvalidModel for sizes that
  // disagree, kNotFound or kIo for external files.
  Tensor read(onnx::TensorProto& proto, const std::string& what);
  // The dense form, of at most 256 MiB.
  Tensor read_sparse(onnx::SparseTensorProto& proto, const std::string& what);

 private:
  Tensor read_external(const onnx::TensorProto& proto, DType dtype, Shape shape, size_t bytes, const std::string& what);
  std::filesystem::path resolve(const std::string& location, const std::string& what) const;

  std::vector<std::filesystem::path> folders_;
  std::map<std::filesystem::path, std::shared_ptr<const MappedFile>> files_;
};

// The DType of a TensorProto.DataType. Throws Error(kUnsupported) naming `what` and the type.
DType read_dtype(int data_type, const std::string& what);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_TENSOR_READER_H_
