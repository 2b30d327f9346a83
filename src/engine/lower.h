// Lowering: how a graph with Q/DQ is run on integers. It changes how, never what: docs/numerics.md says what comes out.
#ifndef TWOFOLD_SRC_ENGINE_LOWER_H_
#define TWOFOLD_SRC_ENGINE_LOWER_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/lower_gemms.h"
#include "engine/watched_tensor.h"
#include "graph/graph.h"
#include "passes/pass_list.h"

namespace twofold {

struct LowerOptions {
  // Float tensors that stand between operators and are still computed, as far as they are needed for more than a Relu
  // or Clip behind a product.
  std::set<std::string> watched = {};
  // Tensors that are to be read and changed: watched, and every way from them to their readers leads through values
  // that are there (engine/held_tensors.h).
  std::vector<std::string> held = {};
  // Products with an `ec` operand run once per digit (dialect/ec_product.h), not once on 16 bits.
  bool ec_in_two_passes = false;
};

// What lowering did.
struct Lowering {
  std::vector<PassReport> passes;  // in the order in which they ran, each once
  FloatReasons reasons;
  std::map<std::string, WatchedTensor> held;  // what has become of LowerOptions::held
};

// Runs the passes that lower.cc lists, each once; a graph without Q/DQ is left as it is. Compacts the graph: ids
// change, names of inputs and outputs do not. Throws Error(kInvalidArgument) naming a tensor that cannot be held.
Lowering lower(Graph& graph, const LowerOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWER_H_
