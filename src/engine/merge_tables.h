#ifndef TWOFOLD_SRC_ENGINE_MERGE_TABLES_H_
#define TWOFOLD_SRC_ENGINE_MERGE_TABLES_H_

#include "engine/float_chain.h"
#include "graph/graph.h"

namespace twofold {

// Elementwise and Table whose inputs are all functions of one 8-bit value, and numbers, become a Table of that value:
//
//   x ─┬─ Elementwise(+ 3) ─ Table(clip) ─┐
//      └──────────────────────── Elementwise(*) ─ Table(/ 6) ─ y     =>   x ─ Table ─ y
//
// which is HardSwish as another tool quantizes it, step by step. Refuses to go through what is watched, and what begins
// with a 16-bit value. Returns how many were replaced; those that nothing reads any more stay for remove_dead_nodes.
int merge_tables(Graph& graph, const ChainFinder& chains);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_MERGE_TABLES_H_
