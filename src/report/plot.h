// Figures as files.
#ifndef TWOFOLD_SRC_REPORT_PLOT_H_
#define TWOFOLD_SRC_REPORT_PLOT_H_

#include <string>
#include <string_view>

namespace twofold {

// The SVG file of a figure, 760 pixels wide: it needs nothing besides, and is light or dark as its reader prefers. What
// the JSON holds stands in report/figure_check.h. The same JSON gives the same bytes. Throws Error(kInvalidArgument)
// that names the key for a figure that cannot be drawn. Thread-safe. The first call of a thread takes some 50 ms and
// keeps some MB for the next ones.
std::string plot_svg(std::string_view figure_json);

}  // namespace twofold

#endif  // TWOFOLD_SRC_REPORT_PLOT_H_
