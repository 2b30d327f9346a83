#include "engine/lower.h"

#include "engine/float_chain.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {

FloatReasons lower(Graph& graph, const std::set<std::string>& watched) {
  fold_quantized_constants(graph);
  merge_ec_terms(graph);
  sink_dequantize(graph);
  std::vector<bool> is_watched(static_cast<size_t>(graph.num_values()), false);
  for (const std::string& name : watched) {
    if (const ValueId id = graph.find_value(name); id != kNone) is_watched[static_cast<size_t>(id)] = true;
  }
  const ChainFinder chains(graph, std::move(is_watched));
  FloatReasons reasons;
  lower_gemms(graph, chains, reasons);
  lower_elementwise(graph, chains);
  remove_dead_nodes(graph);  // a DequantizeLinear that nothing reads any more would count as a use
  fuse_elementwise(graph, chains);
  hoist_tables(graph);
  fold_clamps(graph);
  fold_dequantized_constants(graph);
  wrap_quantized(graph, chains);
  remove_dead_nodes(graph);
  graph.compact();
  return reasons;
}

}  // namespace twofold
