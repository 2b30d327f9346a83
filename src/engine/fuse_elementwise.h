#ifndef TWOFOLD_SRC_ENGINE_FUSE_ELEMENTWISE_H_
#define TWOFOLD_SRC_ENGINE_FUSE_ELEMENTWISE_H_

#include "engine/float_chain.h"
#include "graph/graph.h"

namespace twofold {

// What is computed of an integer product and others runs while the product's block is in the cache: a residual
// connection, say.
//
//   a, b ─ IntegerConv ─ q ─┐
//                          Elementwise ─ y     =>   a, b, r ─ IntegerConv ─ y
//                      r ───┘
//
// Refuses a product that something else reads too, that is watched or has a program already, IntegerConvTranspose, and
// a program that reads the product twice. Returns how many were fused.
int fuse_elementwise(Graph& graph, const ChainFinder& chains);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FUSE_ELEMENTWISE_H_
