// How many elements of two tensors are equal, and how far the others are apart.
#ifndef TWOFOLD_SRC_QUANTIZE_AGREEMENT_H_
#define TWOFOLD_SRC_QUANTIZE_AGREEMENT_H_

#include <cstdint>
#include <optional>
#include <span>

namespace twofold {

// Sums over samples. Of a quantized tensor, equal elements are equal integers.
class Agreement {
 public:
  // REQUIRES: a.size() == b.size().
  void add(std::span<const float> a, std::span<const float> b);
  // Share of equal elements, 1 where there are none at all; two NaN are equal.
  double equal_share() const;
  // Largest |a - b|.
  double largest_difference() const { return largest_; }

 private:
  uint64_t total_ = 0, equal_ = 0;
  double largest_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_AGREEMENT_H_
