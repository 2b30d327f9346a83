#include "quantize/weight_cache.h"

namespace twofold {

Tensor WeightCache::quantized(const Tensor& weight, const QParams& params, Rounding rounding) {
  const Key key{weight.bytes(), weight.shape(), params.qtype, params.axis, params.scale, rounding};
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [entry, inserted] = entries_.try_emplace(key);
  if (inserted) entry->second = {weight, {quantize_weight(weight, params, rounding), {}}};
  return entry->second.integers.first;
}

EcDigits WeightCache::quantized_ec(const Tensor& weight, const QParams& params) {
  const Key key{weight.bytes(), weight.shape(), params.qtype, params.axis, params.scale, Rounding::kNearest};
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [entry, inserted] = entries_.try_emplace(key);
  if (inserted) entry->second = {weight, quantize_to_digits(weight, params)};
  return entry->second.integers;
}

}  // namespace twofold
