// Which inputs and outputs an operator has by ONNX's definition, and the types of its inputs. Import
// holds every node against it once, so that no rewrite and no kernel meets a node that lacks what it reads.
//
// A pattern says it for the inputs: per input a letter for its type,
//
//     f  floats   i  int32 or int64   l  int64   b  bool   q  8, 16 and 32-bit integers   n  all but bool   a  all
//
// and what may follow it: `?` the input may be absent; `+` one or more of the kind; `*` any number of the kind; `~` any
// number, each of which may be absent. "fff?" is Conv, "l?b?a*" is Loop. A letter allows all that ONNX does, and maybe
// more: what an operator is not computed in, its kernel says.
#ifndef TWOFOLD_SRC_TRAITS_SIGNATURE_H_
#define TWOFOLD_SRC_TRAITS_SIGNATURE_H_

#include <cstddef>
#include <string_view>

#include "graph/graph.h"
#include "traits/op_traits.h"

namespace twofold {

struct Signature {
  std::string_view inputs;
  int min_outputs = 1, max_outputs = 1;
};

Signature signature_of(const OpTraits& traits);

// Throws Error(kInvalidModel) that names node, operator and operand: a required input or output is absent, or there are
// too many. The last `captured` inputs are those that bodies capture, which no operator knows of.
void check_operands(const Node& node, const Signature& signature, size_t captured = 0);

// The same of all nodes of ONNX's own domain, bodies left out.
void check_operands(const Graph& graph);

// Throws Error(kInvalidModel) likewise where the operator does not take the type of an input, and that type is certain:
// the input is a constant or an input of the graph.
void check_types(const Graph& graph, const Node& node, const Signature& signature);

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_SIGNATURE_H_
