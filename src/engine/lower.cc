#include "engine/lower.h"

#include "engine/float_chain.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {

namespace {

// By ValueId: what is watched, and the integers that stand for it.
std::vector<bool> watched_values(const Graph& graph, const std::set<std::string>& names) {
  std::vector<bool> watched(static_cast<size_t>(graph.num_values()), false);
  const auto watch = [&](ValueId id) { watched[static_cast<size_t>(id)] = true; };
  for (const std::string& name : names) {
    const ValueId id = graph.find_value(name);
    if (id == kNone) continue;
    watch(id);
    for (NodeId quantizer : readers_of(graph, id).quantizers) watch(graph.node(quantizer).output(0));
    if (const auto edge = dequantized_edge(graph, id)) watch(edge->integers);
  }
  return watched;
}

}  // namespace

FloatReasons lower(Graph& graph, const LowerOptions& options) {
  fold_quantized_constants(graph);
  merge_ec_terms(graph, options.ec_in_two_passes);
  sink_dequantize(graph);
  const ChainFinder chains(graph, watched_values(graph, options.watched));
  FloatReasons reasons;
  lower_gemms(graph, chains, reasons);
  lower_elementwise(graph, chains);
  merge_tables(graph, chains);
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
