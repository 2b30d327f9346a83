// NumPy's .npy files, versions 1 to 3 (numpy.lib.format documents them).
#ifndef TWOFOLD_SRC_DATA_NPY_H_
#define TWOFOLD_SRC_DATA_NPY_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "twofold/tensor.h"

namespace twofold {

// The header says what the bytes behind it are.
struct NpyHeader {
  DType dtype = DType::kUndefined;
  Shape shape;
  bool fortran_order = false;  // the first axis varies fastest
  bool swapped = false;        // stored in the byte order that this machine does not use
  size_t data_offset = 0;      // bytes before the first element

  size_t data_size() const;  // bytes of all elements
  // True if the elements lie in the file as they lie in a tensor.
  bool is_native() const { return !swapped && (!fortran_order || shape.size() < 2); }
};

// No header is longer than this; a prefix of this size is enough for parse_npy_header.
inline constexpr size_t kMaxNpyHeader = 65536;

// Reads the header of a file whose first bytes are given. `source` names the file in messages. Throws
// Error(kInvalidArgument) if the bytes are not an .npy header, Error(kUnsupported) on element types that Twofold
// does not have (complex numbers, strings, records, Python objects).
NpyHeader parse_npy_header(std::span<const std::byte> file, const std::string& source);

// The array in a whole file. The tensor shares the bytes and keeps `owner` if the data are native and aligned for SIMD,
// else they are copied. Throws as parse_npy_header, and on files that end too early.
Tensor parse_npy(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& source);

// parse_npy of a mapped file. Throws Error(kNotFound) and Error(kIo) too.
Tensor load_npy(const std::filesystem::path& path);

// Writes version 1, whole or not at all. bfloat16, which NumPy does not have, is written as float32 of the same values.
// REQUIRES: plain layout. Throws Error(kIo).
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

// Turns raw elements of a header with is_native() == false into a plain tensor. REQUIRES: data.size() ==
// header.data_size().
Tensor convert_npy_data(const NpyHeader& header, std::span<const std::byte> data);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_NPY_H_
