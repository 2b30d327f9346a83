// Element types of tensors, and the precisions that an operand can be quantized to.
#ifndef TWOFOLD_DTYPE_H_
#define TWOFOLD_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace twofold {

// Element type of a tensor. Values are ONNX's TensorProto.DataType (onnx.proto), so that import is a cast.
enum class DType : int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kBFloat16 = 16,
};

// Bytes of one element; 0 for kUndefined.
size_t byte_size(DType dtype);
// ONNX's lower-case name, e.g. "float32", "int8", "bool".
std::string_view to_string(DType dtype);
// True for the types Twofold computes with (everything above but kUndefined).
bool is_known(DType dtype);

// The precision of one operand.
//   kInt8, kInt16: one signed integer;
//   kEc: error compensated, value and residual as two int8 digits in base 254 (docs/numerics.md);
//   kFloat16, kFloat32: not quantized.
enum class QType : uint8_t { kInt8, kInt16, kEc, kFloat16, kFloat32 };

// "int8", "int16", "ec", "float16", "float32": the words of the config file.
std::string_view to_string(QType qtype);
std::optional<QType> parse_qtype(std::string_view text);
// True for kInt8, kInt16 and kEc.
bool is_integer(QType qtype);
// True for the two precisions that carry 16 bits: kInt16 and kEc.
bool is_16bit(QType qtype);

}  // namespace twofold

#endif  // TWOFOLD_DTYPE_H_
