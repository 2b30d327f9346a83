// The network of examples/digits, and images for it.
#ifndef TWOFOLD_TESTS_DATA_DIGITS_H_
#define TWOFOLD_TESTS_DATA_DIGITS_H_

#include <cstdint>
#include <filesystem>

#include "support/source_dir.h"
#include "twofold/tensor.h"

namespace twofold {

inline const std::filesystem::path kDigits = source_dir() / "examples" / "digits";

// [count,1,28,28] of numbers from 0 to 1.
inline Tensor images(int64_t count, uint32_t seed) {
  Tensor tensor(DType::kFloat32, {count, 1, 28, 28});
  for (float& value : tensor.mutable_data<float>()) {
    seed = seed * 1664525 + 1013904223;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 24);
  }
  return tensor;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_DATA_DIGITS_H_
