// The files that the library is built with (cmake/twofold-report.cmake).
#ifndef TWOFOLD_SRC_REPORT_ASSETS_H_
#define TWOFOLD_SRC_REPORT_ASSETS_H_

#include <string_view>

namespace twofold::report_assets {

extern const std::string_view kD3;     // d3.min.js
extern const std::string_view kPlots;  // plots/*.js: figures, for browsers and Duktape
extern const std::string_view kDom;    // dom.js: the document of Duktape

}  // namespace twofold::report_assets

#endif  // TWOFOLD_SRC_REPORT_ASSETS_H_
