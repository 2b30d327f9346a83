// Small networks of like layers that are timed to learn what their precision costs.
#ifndef TWOFOLD_SRC_API_COST_PROBE_H_
#define TWOFOLD_SRC_API_COST_PROBE_H_

#include <array>
#include <string>

#include "twofold/dtype.h"
#include "twofold/tensor.h"

namespace twofold {

// A layer whose output has the shape of its input.
struct ProbeLayer {
  std::string name, op_type;
  Shape input, weights;  // of Conv: [N,C,H,W], [C,C/group,K,K]; of MatMul: [M,K], [K,K]

  int64_t macs() const;
  int64_t fan_in() const;  // products per output element
};

// Representative ones: a 3x3, a 1x1 and a depthwise convolution, and a matrix product.
const std::array<ProbeLayer, 4>& probe_layers();

// Seconds that one such layer takes, the best of several runs in about `seconds`: its product, and what stands between
// it and the next one. `a` and `b` are the types of activations and weights: int8, int16, or float32.
double probe(const ProbeLayer& layer, DType a, DType b, int threads, double seconds);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_COST_PROBE_H_
