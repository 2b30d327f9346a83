// What a fused Conv, ConvTranspose, MatMul or Gemm does to its output before it writes it. The engine fuses; no model
// file holds these nodes.
#ifndef TWOFOLD_SRC_OPS_EPILOGUE_H_
#define TWOFOLD_SRC_OPS_EPILOGUE_H_

#include <string_view>
#include <vector>

#include "graph/attribute.h"

namespace twofold {

// The domain of fused nodes: the operator of the same name, and the attributes below.
inline constexpr std::string_view kFusedDomain = "twofold.fused";

// One step on every element y of the output.
struct EpilogueStep {
  enum class Kind {
    kAdd,        // y + the next extra input of the node, which has the output's shape
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
using Epilogue = std::vector<EpilogueStep>;

// Kept in a node as three attributes of equal length: epilogue_kinds, epilogue_alphas, epilogue_betas.
void set_epilogue(Attributes& attributes, const Epilogue& epilogue);
Epilogue get_epilogue(const Attributes& attributes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_EPILOGUE_H_
