// Fake quantization for training: what numbers stand for once they are quantized, and the gradients of that. The bits
// of docs/numerics.md, rules 1 and 3, for any number of threads and any instruction set.
#ifndef TWOFOLD_FAKE_QUANTIZE_H_
#define TWOFOLD_FAKE_QUANTIZE_H_

#include <cstdint>
#include <optional>
#include <span>

namespace twofold {

// Dense float32 arrays of the shape [outer, channels, inner], with a scale for each channel. A view: the numbers must
// outlive it.
struct FakeQuantization {
  struct Integers {
    int32_t low, high;
  };

  int64_t outer = 1, channels = 1, inner = 1;
  std::span<const float> scale;         // [channels], positive; of ec that of the first digit
  std::span<const int32_t> zero_point;  // [channels], from low to high; empty: all 0
  std::optional<Integers> integers;     // none: the digits of ec
};

// All functions throw Error(kInvalidArgument) where sizes do not fit, or a scale, zero point or range of integers is
// none that can be computed with. Outputs may be inputs. threads = 0: all cores.

// y = (q - zero_point) * scale, with q = saturate(round_half_even(x / scale) + zero_point).
void fake_quantize(const FakeQuantization& how, std::span<const float> x, std::span<float> y, int threads = 0);

// The straight-through gradient: that of y where x is rounded, 0 where it is clipped or NaN.
void fake_quantize_backward(const FakeQuantization& how, std::span<const float> y_gradient, std::span<const float> x,
                            std::span<float> x_gradient, int threads = 0);

// The same, and the gradient of each scale (S. K. Esser et al., "Learned step size quantization", ICLR 2020), times
// `factor`. Not for ec.
void fake_quantize_learned_backward(const FakeQuantization& how, std::span<const float> y_gradient,
                                    std::span<const float> x, double factor, std::span<float> x_gradient,
                                    std::span<float> scale_gradient, int threads = 0);

}  // namespace twofold

#endif  // TWOFOLD_FAKE_QUANTIZE_H_
