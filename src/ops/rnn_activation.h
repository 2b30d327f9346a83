// The activation functions that recurrent operators can be given by name.
#ifndef TWOFOLD_SRC_OPS_RNN_ACTIVATION_H_
#define TWOFOLD_SRC_OPS_RNN_ACTIVATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/attribute.h"

namespace twofold {

struct RnnActivation {
  enum class Kind : uint8_t {
    kRelu,
    kTanh,
    kSigmoid,
    kAffine,
    kLeakyRelu,
    kThresholdedRelu,
    kScaledTanh,
    kHardSigmoid,
    kElu,
    kSoftsign,
    kSoftplus
  };
  Kind kind;
  float alpha = 0, beta = 0;

  float operator()(float x) const;
};

// The attributes activations, activation_alpha and activation_beta, or `defaults` for each direction.
// Throws Error(kInvalidModel) for an unknown name or a wrong number of them.
std::vector<RnnActivation> read_rnn_activations(const Attributes& attributes, const std::vector<std::string>& defaults,
                                                size_t directions);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_RNN_ACTIVATION_H_
