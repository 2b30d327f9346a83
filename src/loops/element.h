// Operators that only move data treat elements as opaque words: one loop per element size serves every dtype.
#ifndef TWOFOLD_SRC_LOOPS_ELEMENT_H_
#define TWOFOLD_SRC_LOOPS_ELEMENT_H_

#include <cstdint>

#include "base/check.h"
#include "twofold/tensor.h"

namespace twofold {

// Calls body.operator()<T>() with the unsigned integer T of `bytes` bytes (1, 2, 4 or 8).
template <typename Body>
void with_word(size_t bytes, const Body& body) {
  switch (bytes) {
    case 1: return body.template operator()<uint8_t>();
    case 2: return body.template operator()<uint16_t>();
    case 4: return body.template operator()<uint32_t>();
    case 8: return body.template operator()<uint64_t>();
    default: TWOFOLD_CHECK(false);
  }
}

// The elements as words of type T, in memory order. REQUIRES: sizeof(T) is the size of an element.
template <typename T>
const T* words(const Tensor& tensor) {
  return reinterpret_cast<const T*>(tensor.bytes());
}
template <typename T>
T* mutable_words(Tensor& tensor) {
  return reinterpret_cast<T*>(tensor.mutable_bytes());
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_ELEMENT_H_
