// What a figure's JSON must hold before it is drawn.
//
// All figures: "title", optional "subtitle" and "note" (small print). Numbers may be null for NaN where nothing else is
// said; "thresholds" are drawn as dashed lines.
//   {"kind": "lines", "x": [name or number, ...], "series": [{"name", "values": [one per x]}, ...],
//    optional "x_label", "y_label", "y_scale": "linear" | "log"}
//   {"kind": "histogram", "low", "step" > 0, "series": [{"name", "counts": [...]}, ...]: bin i begins at low + i step;
//    the first series is an area, others are lines; optional "x_label", "thresholds",
//    "count_scale": "log" | "sqrt" | "linear"}
//   {"kind": "boxes", "boxes": [[min, first quartile, median, third quartile, max] or five nulls, ...],
//    optional "names" (one per box; its number otherwise), "x_label", "y_label", "thresholds"}
//   {"kind": "bars", "names": [...], "values": [number, null, "inf", "-inf", "nan"], optional "x_label",
//    "series": name of the values}: horizontal, one row each, in this order
#ifndef TWOFOLD_SRC_REPORT_FIGURE_CHECK_H_
#define TWOFOLD_SRC_REPORT_FIGURE_CHECK_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace twofold {

// Throws Error(kInvalidArgument) that names the key, as `where`.key, if the figure cannot be drawn.
void check_figure(const nlohmann::ordered_json& figure, const std::string& where);

// The same for a figure in a place where its kind is known and its title may be left out.
void check_figure_of_kind(const nlohmann::ordered_json& figure, std::string_view kind, const std::string& where);

}  // namespace twofold

#endif  // TWOFOLD_SRC_REPORT_FIGURE_CHECK_H_
