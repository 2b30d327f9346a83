// The table of all operators: those of ONNX (src/ops) and those that lowering makes (src/dialect).
#ifndef TWOFOLD_SRC_DIALECT_REGISTRY_H_
#define TWOFOLD_SRC_DIALECT_REGISTRY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace twofold {

// The definition, or nullptr if the operator is not there.
const OpDef* find_op(std::string_view domain, std::string_view op_type);

// Every definition, of all domains, by domain and name.
std::vector<const OpDef*> all_ops();

// Makes the kernel of a node. Throws Error(kUnsupported) naming the operator if it is not there.
std::unique_ptr<Kernel> make_kernel(const KernelArgs& args);

// Every operator of the graph and its bodies that is not there, once, each with the first node that has it.
std::vector<std::string> missing_operators(const Graph& graph);

// Throws one Error(kUnsupported) that lists every operator of the graph and its bodies that is not there.
void check_operators(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_REGISTRY_H_
