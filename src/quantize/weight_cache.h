// Integers of weights, so that trials that differ in activations only do not round the same weights again.
#ifndef TWOFOLD_SRC_QUANTIZE_WEIGHT_CACHE_H_
#define TWOFOLD_SRC_QUANTIZE_WEIGHT_CACHE_H_

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "numeric/quantize_tensor.h"
#include "quantize/weights.h"

namespace twofold {

// What quantize_weight and quantize_to_digits gave for a weight, its parameters and its rounding. A weight is known by
// its bytes, which the cache keeps alive. Thread-safe.
class WeightCache {
 public:
  Tensor quantized(const Tensor& weight, const QParams& params, Rounding rounding);
  EcDigits quantized_ec(const Tensor& weight, const QParams& params);

 private:
  using Key = std::tuple<const std::byte*, Shape, QType, int, std::vector<float>, Rounding>;
  struct Entry {
    Tensor weight;
    EcDigits integers;  // `first` alone unless the type is ec
  };

  std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_WEIGHT_CACHE_H_
