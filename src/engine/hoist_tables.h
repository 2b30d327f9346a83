#ifndef TWOFOLD_SRC_ENGINE_HOIST_TABLES_H_
#define TWOFOLD_SRC_ENGINE_HOIST_TABLES_H_

#include "graph/graph.h"

namespace twofold {

// Looks up fewer integers: before what repeats them.
//
//   q ─ Resize | Expand | Tile ─ Table ─ y     =>   q ─ Table ─ Resize | Expand | Tile ─ y
//
// Refuses where something else reads the integers in between, a Resize that interpolates, and one whose scales are not
// constants of 1 or more. Returns how many tables moved.
int hoist_tables(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_HOIST_TABLES_H_
