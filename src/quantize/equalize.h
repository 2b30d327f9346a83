// Equalizations as a rewrite of the float model.
#ifndef TWOFOLD_SRC_QUANTIZE_EQUALIZE_H_
#define TWOFOLD_SRC_QUANTIZE_EQUALIZE_H_

#include <span>
#include <vector>

#include "graph/graph.h"
#include "plan/equalization.h"
#include "plan/plan.h"
#include "quantize/equalization_sites.h"

namespace twofold {

// The graph with constants in which channels are scaled (equalization_sites.h): the same nodes, names and values, and
// the same bits of every output. A constant that other nodes read too is copied under a name of its own. Throws
// Error(kInvalidArgument) that names the tensor, where the graph has no such site, the number of channels is another,
// or a number would leave what float32 can hold.
Graph equalize(const Graph& graph, const std::vector<Equalization>& equalizations);

// The same in place, of one site that is known. REQUIRES: the equalization is of the site, and its exponents are exact.
void equalize(const EqualizationSite& site, const Equalization& equalization, Graph& graph);

// The exponents with 0 for each channel of which a constant would not stay the same number but for its exponent.
std::vector<int> exact_exponents(const Graph& graph, const EqualizationSite& site, std::vector<int> exponents);

// Puts the names of tensors that operands have in an equalized graph into a plan for the graph as it was.
void rename_operands(const Graph& equalized, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_EQUALIZE_H_
