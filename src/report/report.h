// The debugger's report as a page.
#ifndef TWOFOLD_SRC_REPORT_REPORT_H_
#define TWOFOLD_SRC_REPORT_REPORT_H_

#include <string>
#include <string_view>

namespace twofold {

// One HTML file that opens offline and loads nothing: findings, tables, figures, and the graph with its tensors. What
// the JSON holds stands in report/report_check.h; names and texts in it may be anything, they are never taken for
// markup. Throws Error(kInvalidArgument) that names the key for a report that cannot be shown. Thread-safe. The file is
// some 300 KB larger than the JSON without white space.
std::string report_html(std::string_view report_json);

}  // namespace twofold

#endif  // TWOFOLD_SRC_REPORT_REPORT_H_
