// Float steps as oneDNN computes them on the output of a primitive.
#ifndef TWOFOLD_SRC_OPS_POST_OPS_H_
#define TWOFOLD_SRC_OPS_POST_OPS_H_

#include <optional>
#include <vector>

#include "ops/float_steps.h"

namespace twofold::onednn {

// One of oneDNN's operations on every element y of the output.
struct PostOp {
  enum class Kind {
    kAdd,        // y + the next addend, which has the output's shape
    kLinear,     // alpha * y + beta
    kRelu,       // max(y, 0); alpha * y for negative y
    kClip,       // min(max(y, alpha), beta)
    kHardSwish,  // y * min(max(y / 6 + 1 / 2, 0), 1)
    kSigmoid,
    kTanh,
    kSwish,  // y * sigmoid(alpha * y)
    kGelu,   // y / 2 * (1 + erf(y / sqrt(2)))
  };
  Kind kind = Kind::kRelu;
  float alpha = 0, beta = 0;
};

// What computes the steps, or nothing: where one is of another kind, or where one kind would be needed twice, since
// oneDNN 2.6 computes the second of two alike with the first one's numbers. Only linear ones behind each other become
// one. The operands of steps are the addends, in order.
std::optional<std::vector<PostOp>> post_ops(const FloatSteps& steps);

}  // namespace twofold::onednn

#endif  // TWOFOLD_SRC_OPS_POST_OPS_H_
