// What quantizing a unit does to the results of its own nodes.
#ifndef TWOFOLD_SRC_DEBUG_LOCAL_ERRORS_H_
#define TWOFOLD_SRC_DEBUG_LOCAL_ERRORS_H_

#include <cstddef>
#include <map>
#include <vector>

#include "graph/graph.h"
#include "quantize/apply.h"
#include "quantize/weight_cache.h"

namespace twofold {

// Of a unit, what happens in one of its nodes.
struct UnitNode {
  size_t unit = 0;  // by position
  NodeId node = kNone;
  std::vector<OperandQuantization> operands;  // of the node
};

// The nodes of all units, unit by unit. What a unit quantizes to the same integers twice, at the output of one node and
// at the input of the next, stands at the first alone.
std::vector<UnitNode> unit_nodes(const Graph& graph, const std::vector<std::vector<OperandQuantization>>& units);

// The values of one sample.
using SampleValues = std::map<ValueId, Tensor>;

struct LocalError {
  size_t unit = 0;
  ValueId value = kNone;  // a float result of the node
  Tensor error;           // float32, of the value's shape and layout: what comes out, minus what the float model has
};

// Runs the node with its operands quantized as the whole model would be, by applying them and lowering, on the float
// model's values. REQUIRES: `values` holds all that the node reads and computes, but constants.
std::vector<LocalError> local_errors(const Graph& graph, const UnitNode& quantized, const SampleValues& values,
                                     WeightCache& weights);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_LOCAL_ERRORS_H_
