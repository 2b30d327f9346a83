#include "engine/lower.h"

#include <optional>

#include "engine/float_chain.h"
#include "engine/fold_clamps.h"
#include "engine/fold_dequantized_constants.h"
#include "engine/fold_quantized_constants.h"
#include "engine/fuse_elementwise.h"
#include "engine/held_tensors.h"
#include "engine/hoist_tables.h"
#include "engine/lower_elementwise.h"
#include "engine/lower_recurrent.h"
#include "engine/merge_ec_terms.h"
#include "engine/merge_tables.h"
#include "engine/sink_dequantize.h"
#include "engine/wrap_quantized.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {

namespace {

// By ValueId: what is watched, and the integers that stand for it.
std::vector<bool> watched_values(const Graph& graph, const LowerOptions& options) {
  std::set<std::string> names = options.watched;
  names.insert(options.held.begin(), options.held.end());
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

// What the passes of one lowering tell each other.
struct Notes {
  HeldTensors held;
  std::optional<ChainFinder> chains;  // from lower_gemms on
  FloatReasons reasons;
};

std::vector<Pass> passes(const LowerOptions& options, Notes& notes) {
  return {
      {"fold_quantized_constants", fold_quantized_constants},
      // While the two terms of an operand still look as they were written.
      {"merge_ec_terms", [&options](Graph& graph) { return merge_ec_terms(graph, options.ec_in_two_passes); }},
      // Before anything looks for what stands between integers.
      {"hold_watched", [&notes](Graph& graph) { return notes.held.hold(graph); }},
      // Before products, which so find integers behind what moves them.
      {"sink_dequantize", sink_dequantize},
      // Products before what follows them, which they take along. Nothing has been taken apart until here: chains are
      // those of the graph as it is now.
      {"lower_gemms",
       [&options, &notes](Graph& graph) {
         notes.chains.emplace(graph, watched_values(graph, options));
         return lower_gemms(graph, *notes.chains, notes.reasons);
       }},
      {"lower_recurrent", [&notes](Graph& graph) { return lower_recurrent(graph, notes.reasons); }},
      {"lower_elementwise", [&notes](Graph& graph) { return lower_elementwise(graph, *notes.chains); }},
      {"merge_tables", [&notes](Graph& graph) { return merge_tables(graph, *notes.chains); }},
      // A DequantizeLinear that nothing reads any more would count as a use.
      {"remove_dead_nodes", remove_dead_nodes},
      // What is left of Elementwise nodes and tables moves to where it costs less.
      {"fuse_elementwise", [&notes](Graph& graph) { return fuse_elementwise(graph, *notes.chains); }},
      {"hoist_tables", hoist_tables},
      {"fold_clamps", fold_clamps},
      // The rest computes in float32.
      {"fold_dequantized_constants", fold_dequantized_constants},
      {"wrap_quantized", [&notes](Graph& graph) { return wrap_quantized(graph, *notes.chains); }},
      {"remove_dead_nodes", remove_dead_nodes},
      {"release_watched", [&notes](Graph& graph) { return notes.held.release(graph); }},
  };
}

}  // namespace

Lowering lower(Graph& graph, const LowerOptions& options) {
  Notes notes{HeldTensors(options.held), {}, {}};
  const std::vector<Pass> list = passes(options, notes);
  Lowering lowering{new_reports(list), {}, {}};
  run_each_once(list, graph, lowering.passes);
  graph.compact();
  lowering.reasons = std::move(notes.reasons);
  lowering.held = notes.held.in(graph);
  return lowering;
}

}  // namespace twofold
