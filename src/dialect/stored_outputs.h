// How nodes of the dialect store what they compute, whichever operator they are.
#ifndef TWOFOLD_SRC_DIALECT_STORED_OUTPUTS_H_
#define TWOFOLD_SRC_DIALECT_STORED_OUTPUTS_H_

#include <vector>

#include "dialect/float_program.h"
#include "graph/graph.h"

namespace twofold {

// One form per output of a product or Elementwise node; empty for all others.
std::vector<StoredForm> stored_outputs(const Node& node);

// The node with these forms instead. REQUIRES: it has as many.
void set_stored_outputs(Node& node, const std::vector<StoredForm>& forms);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_STORED_OUTPUTS_H_
