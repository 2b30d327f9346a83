// Applying decisions to a graph: QuantizeLinear/DequantizeLinear at every operand that gets integers.
#ifndef TWOFOLD_SRC_QUANTIZE_APPLY_H_
#define TWOFOLD_SRC_QUANTIZE_APPLY_H_

#include <vector>

#include "graph/graph.h"
#include "numeric/qparams.h"
#include "plan/operand_ref.h"
#include "quantize/weight_cache.h"

namespace twofold {

// One operand of one node and the integers it becomes.
struct OperandQuantization {
  NodeId node = kNone;
  OperandRef operand;
  QParams params;                          // int8, int16 or ec
  Rounding rounding = Rounding::kNearest;  // of a constant int8 operand
  // What is added to the node's bias for the error of this weight, per output channel; empty: nothing.
  std::vector<float> bias_shift = {};
};

// Shifts biases, then rewrites the graph into standard QDQ form:
//
//   activation   x -> Q -> DQ -> op                 one pair per (tensor, parameters), shared by its readers
//   weight       constant integers -> DQ -> op      int8 or int16, per channel
//   output       op -> Q -> DQ -> readers
//   bias         int32 -> DQ -> op                  in units of s_a s_b; with a 16-bit operand s_a s_b 2^k, the
//                                                   smallest k that fits; else left float32 where a channel does not
//                                                   fit
//   float16      x -> Cast -> Cast -> op
//   ec operand   op(.., first term, ..) + op(.., second term, ..): two identical operators and an Add with int8 terms;
//                both operands ec: four operators and three Adds. The first operator keeps the node's name, the others
//                add _residual (_residual_2, _residual_3), the Adds _sum.
//
// Names of tensors survive: the node's output keeps its name, `x` is the float tensor, x_quantized its integers.
// Integers of weights come from `weights` where it has them, and stay there.
// REQUIRES: `operands` name each operand at most once; ec on inputs only.
void apply_quantization(Graph& graph, const std::vector<OperandQuantization>& operands, WeightCache& weights);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_APPLY_H_
