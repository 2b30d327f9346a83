// Lowering: how a graph with Q/DQ is run on integers. It changes how, never what: docs/numerics.md says what comes out.
#ifndef TWOFOLD_SRC_ENGINE_LOWER_H_
#define TWOFOLD_SRC_ENGINE_LOWER_H_

#include <map>
#include <set>
#include <string>

#include "graph/graph.h"

namespace twofold {

class ChainFinder;

// Why a product stayed a float operator, by node name.
using FloatReasons = std::map<std::string, std::string>;

struct LowerOptions {
  // Float tensors that stand between operators and are still computed, as far as they are needed for more than a Relu
  // or Clip behind a product.
  std::set<std::string> watched = {};
  // Products with an `ec` operand run once per digit (dialect/ec_product.h), not once on 16 bits.
  bool ec_in_two_passes = false;
};

// Runs the steps below in order; a graph without Q/DQ is left as it is.
FloatReasons lower(Graph& graph, const LowerOptions& options = {});

// What is quantized and constant, as other tools write their weights:
//   Q(constant)  =>  constant',   Transpose(DQ(constant))  =>  DQ(constant')
// Returns how many operators went away.
int fold_quantized_constants(Graph& graph);

// op(x, DQ(q1; s1)) + op(x, DQ(q2; s1/254))  =>  op(x, DQ(254 q1 + q2; s1/254))
//
// The exported form of an `ec` operand, two identical operators and an Add with int8 terms, becomes one operator with a
// 16-bit operand. The other way round too, for an activation in two terms:
//   q1 = Q(x; s1), q2 = Q(x - DQ(q1); s1/254)  =>  EcQuantize(x; s1).
// Refuses where the two operators differ in anything but that operand. Where `in_two_passes`, the operator gets the
// attributes that have it run so (dialect/ec_product.h). Returns how many Adds went away.
int merge_ec_terms(Graph& graph, bool in_two_passes = false);

// Conv, ConvTranspose, MatMul and Gemm on two DequantizeLinear, with the QuantizeLinear, Relu and Clip behind them:
//   DQ(a), DQ(b) -> op -> [Relu | Clip] -> Q...   =>   a, b -> IntegerOp -> integers...
// One output per QuantizeLinear (an edge may be needed at two precisions), and a float32 one where something else reads
// the result. Other element-wise operators behind it become a float program of the node (dialect/float_program.h).
// Refuses, leaving the float operator, where scales are not constants, per channel along another axis than the output
// channels, or where Gemm scales its operands. Returns how many were lowered.
int lower_gemms(Graph& graph, const ChainFinder& chains, FloatReasons& reasons);

// DQ(x) => x' for what only moves numbers, so that it moves integers:
//   Transpose(DQ(q))  =>  DQ(Transpose(q)),   Concat(DQ(q1), DQ(q2), ...)  =>  DQ(Concat(q1, q2, ...)) with one scale.
// Returns how many operators now move integers.
int sink_dequantize(Graph& graph);

// Element-wise operators between DequantizeLinear and QuantizeLinear:
//   DQ(q) -> f -> Q             =>  Table(q)            also where there is no f and only the scale changes
//   DQ(a), DQ(b) -> op ... -> Q =>  Elementwise(a, b)
//   Q(DQ(q)) with one scale     =>  q
// Returns how many were lowered.
int lower_elementwise(Graph& graph, const ChainFinder& chains);

// Elementwise and Table whose inputs are all functions of one 8-bit value, and numbers  =>  a Table of that value.
//
// HardSwish, say, that another tool has quantized step by step: x, Q(x + 3), Q(clip), Q(x * that), Q(that / 6), each of
// 256 values. Refuses to go through what is watched. Returns how many were replaced; those that nothing reads any more
// stay for remove_dead_nodes.
int merge_tables(Graph& graph, const ChainFinder& chains);

// Integer product -> Elementwise  =>  the product with that as its program, which runs while a block is in the cache:
// what a residual connection is. Refuses a product that something else reads too. Returns how many were fused.
int fuse_elementwise(Graph& graph, const ChainFinder& chains);

// Resize | Expand | Tile -> Table  =>  Table -> Resize | Expand | Tile, so that it looks up fewer integers. Refuses a
// Resize that interpolates, or whose scales are not constants of 1 or more. Returns how many tables moved.
int hoist_tables(Graph& graph);

// Integer product or Elementwise -> Table that only clamps  =>  the same with narrower bounds. That is what a Relu is
// that has one scale before and behind. Returns how many tables went away.
int fold_clamps(Graph& graph);

// DQ(constant) => constant, for what is left in float.
int fold_dequantized_constants(Graph& graph);

// Operators that compute in float32 take in the conversions around them (dialect/quantized_body.h):
//   DQ(a), DQ(b) -> Add -> LayerNormalization -> Q   =>   (a, b) -> "Add LayerNormalization"
// So do those that work on rows of a float32 tensor and are quantized behind: Softmax -> Q. A chain goes on as long as
// its result has one reader. Refuses products, which have integer forms or are to say why they have none, operators
// with bodies, and tensors with several scales. Returns how many chains there were.
int wrap_quantized(Graph& graph, const ChainFinder& chains);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWER_H_
