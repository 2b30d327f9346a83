// The threshold with the smallest mean squared quantization error.
#ifndef TWOFOLD_SRC_CALIBRATE_MSE_SEARCH_H_
#define TWOFOLD_SRC_CALIBRATE_MSE_SEARCH_H_

#include <cstdint>
#include <functional>
#include <span>

namespace twofold {

// `magnitudes[k]` numbers have |x| in [k, k + 1) * width, the largest is `largest` > 0; with the threshold T they are
// rounded to multiples of step_of(T) and clipped to [-T, T]. Numbers count as their bin's middle where steps are at
// least two bins wide, and as spread evenly over a step (error step^2 / 12) where they are narrower.
// Tried: largest * 2^(-i/8) for i = 0 ... 80, then 15 points between the neighbours of the best; of equals the largest.
double mse_threshold(std::span<const uint64_t> magnitudes, double width, double largest,
                     const std::function<double(double)>& step_of);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_MSE_SEARCH_H_
