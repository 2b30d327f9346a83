// A tensor that a device dumped: an .npy file, or the bytes of its elements alone.
#ifndef TWOFOLD_SRC_DATA_DUMPED_TENSOR_H_
#define TWOFOLD_SRC_DATA_DUMPED_TENSOR_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "twofold/tensor.h"

namespace twofold {

// What the file must hold.
struct ExpectedTensor {
  std::string name;  // for messages
  Shape shape;
  DType dtype = DType::kUndefined;  // of its elements, if they are not real numbers
};

// The tensor in a file's bytes, which `owner` keeps, as in parse_npy; `path` says what kind of file it is. Elements are
// float32, in .npy files also float64, or of the expected type. A list, and a shape that differs in dimensions of 1,
// stand for the expected shape. Throws Error(kInvalidArgument), and as parse_npy.
Tensor parse_dumped_tensor(std::span<const std::byte> file, std::shared_ptr<const void> owner,
                           const std::filesystem::path& path, const ExpectedTensor& expected);

// parse_dumped_tensor of a mapped file. Throws Error(kNotFound) and Error(kIo) too.
Tensor load_dumped_tensor(const std::filesystem::path& path, const ExpectedTensor& expected);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_DUMPED_TENSOR_H_
