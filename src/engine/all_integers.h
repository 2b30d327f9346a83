// Functions of one integer, as tables: what they make of each integer of its type.
#ifndef TWOFOLD_SRC_ENGINE_ALL_INTEGERS_H_
#define TWOFOLD_SRC_ENGINE_ALL_INTEGERS_H_

#include <string>
#include <vector>

#include "dialect/float_program.h"
#include "graph/graph.h"
#include "twofold/tensor.h"

namespace twofold {

// All integers of an 8- or 16-bit type in ascending order, as a vector.
Tensor all_integers(DType dtype);

// The outputs of the program on vectors or scalars, inputs[0] being stored as `first` says (dialect/elementwise.h).
std::vector<Tensor> run_elementwise(const FloatProgram& program, const StoredForm& first,
                                    const std::vector<Tensor>& inputs);

// The node that looks x up in `table` (dialect/table_node.h), which becomes a constant of the graph; still to be added.
Node table_node(Graph& graph, const std::string& name, ValueId x, Tensor table, ValueId result, int64_t least_rank = 0);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_ALL_INTEGERS_H_
