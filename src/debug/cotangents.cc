#include "debug/cotangents.h"

#include <algorithm>
#include <cmath>

#include "loops/layout.h"
#include "quantize/compare.h"

namespace twofold {

namespace {

// SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014): a number for every state.
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

uint64_t mixed(uint64_t state) {
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
  return state ^ (state >> 31);
}

}  // namespace

Cotangents::Cotangents(const Tensor& output, uint64_t seed)
    : output_(as_float(to_layout(output, Layout::kPlain))), seed_(seed) {
  for (const float y : output_.data<float>()) signal_ += static_cast<double>(y) * static_cast<double>(y);
}

double Cotangents::share(int64_t i) const {
  return signal_ > 0 ? output_.data<float>()[static_cast<size_t>(i)] / std::sqrt(signal_) : 0;
}

Tensor Cotangents::unit(int64_t i) const {
  Tensor v(DType::kFloat32, output_.shape());
  const std::span<float> out = v.mutable_data<float>();
  std::ranges::fill(out, 0.0F);
  out[static_cast<size_t>(i)] = 1;
  return v;
}

Tensor Cotangents::along() const {
  Tensor v(DType::kFloat32, output_.shape());
  const std::span<const float> y = output_.data<float>();
  const std::span<float> out = v.mutable_data<float>();
  const double length = std::sqrt(signal_);
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(y[i] / length);
  return v;
}

Tensor Cotangents::across(int64_t k) const {
  uint64_t state = mixed(mixed(seed_ + kGolden) + kGolden * static_cast<uint64_t>(k + 1));
  Tensor v(DType::kFloat32, output_.shape());
  const std::span<const float> y = output_.data<float>();
  const std::span<float> out = v.mutable_data<float>();
  double along = 0;
  uint64_t bits = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    bits = i % 64 == 0 ? mixed(state += kGolden) : bits >> 1;
    out[i] = (bits & 1) != 0 ? 1.0F : -1.0F;
    along += static_cast<double>(out[i]) * static_cast<double>(y[i]);
  }
  if (!(signal_ > 0)) return v;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(out[i] - along / signal_ * y[i]);
  return v;
}

}  // namespace twofold
