// Between rows and the Graph that everything works on.
#ifndef TWOFOLD_SRC_PLAN_GRAPH_ROWS_H_
#define TWOFOLD_SRC_PLAN_GRAPH_ROWS_H_

#include "graph/graph.h"
#include "plan/resolve.h"
#include "twofold/graph_rows.h"

namespace twofold {

// A graph to plan, not to run: its constants have a type and a shape and no bytes.
// Throws Error(kInvalidModel) naming the node or tensor that does not fit.
Graph graph_from_rows(const GraphRows& rows);

// Nodes in topological order. Every tensor between nodes whose element type is declared or inferred has a row.
GraphRows rows_from_graph(const Graph& graph);

// The plan of the graph. It holds no hash of contents, since rows have no weights and leave out attributes: all else is
// as resolve() makes it of the graph that the rows were taken from.
Plan resolve_graph_rows(const GraphRows& rows, const QuantConfig& config, const Target& target,
                        const ResolveOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_GRAPH_ROWS_H_
