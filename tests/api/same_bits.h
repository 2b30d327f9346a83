// Whether tensors are the same to the bit.
#ifndef TWOFOLD_TESTS_API_SAME_BITS_H_
#define TWOFOLD_TESTS_API_SAME_BITS_H_

#include <cstring>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.bytes(), b.bytes(), a.byte_size()) == 0;
}

inline bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_API_SAME_BITS_H_
