// What a report's JSON must hold before it becomes a page. Only "title" must be there; what is absent is not shown.
//
//   "title": text
//   "facts": [[name, text], ...]
//   "outputs": [{"name", "metrics": {metric: value}}, ...]
//   "findings": [{"severity": "limit" | "both" | "operand" | "note", "title", optional "text", "nodes": [name, ...],
//     "table": {"headings": [text, ...], "rows": [[cell, ...], ...]}, "config": text to paste}, ...]
//   "config": text to paste, of all findings together
//   "sensitivity": [{"unit": text, "metrics": [name, ...], "rows": [{"name", optional "op_type", "metrics":
//     {metric: value}, "threshold": value, "bits": cell}, ...]}, ...], worst first
//   "figures": [{"section": text, "figure": see report/figure_check.h}, ...]
//   "graph": {"nodes": [{"name", "op_type", "inputs": [indices of the nodes that it reads], optional "error": value,
//     "precisions": text, "tensors": [indices into tensors]}, ...], optional "error_label": text}
//   "tensors": [{"name", optional "kind", "node", "dtype", "shape": text, "min", "max", "mean", "deviation", "scale",
//     "zero_point", "clipped", "sqnr", "cosine": cell, "histogram", "boxes": figures of these kinds, without kind and
//     title}, ...]; clipped is a share, from 0 to 1
//
// A value is a number, null or "inf", "-inf", "nan"; a cell is a number, text or null.
#ifndef TWOFOLD_SRC_REPORT_REPORT_CHECK_H_
#define TWOFOLD_SRC_REPORT_REPORT_CHECK_H_

#include <nlohmann/json.hpp>

namespace twofold {

// Throws Error(kInvalidArgument) that names the key, as in "graph.nodes[3].inputs".
void check_report(const nlohmann::ordered_json& report);

}  // namespace twofold

#endif  // TWOFOLD_SRC_REPORT_REPORT_CHECK_H_
