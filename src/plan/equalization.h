// Channels of a tensor that are made even before it is quantized, so that one scale serves all of them.
#ifndef TWOFOLD_SRC_PLAN_EQUALIZATION_H_
#define TWOFOLD_SRC_PLAN_EQUALIZATION_H_

#include <string>
#include <vector>

namespace twofold {

// Channel c is divided by 2^exponents[c], and multiplied by that in the weights that meet it. Since only exponents of
// floats change, the float model computes the same bits. The division is either one of the constants that compute the
// tensor, or a Mul of its own between the tensor, which stays what it is, and the products that read it.
struct Equalization {
  std::string tensor;              // what the first of the nodes computes, or the Mul reads
  std::vector<std::string> nodes;  // that compute the tensor, hand it on and read it, or the products; in graph order
  std::vector<int> exponents;      // each in [-kMaxExponent, kMaxExponent]
  bool inserted = false;           // by a Mul

  bool operator==(const Equalization&) const = default;
};

// Far more than quantized channels differ by: 8 bits are gone after 2^8, 16 after 2^16.
inline constexpr int kMaxExponent = 15;

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_EQUALIZATION_H_
