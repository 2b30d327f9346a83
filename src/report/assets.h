// The files that the library is built with (cmake/twofold-report.cmake).
#ifndef TWOFOLD_SRC_REPORT_ASSETS_H_
#define TWOFOLD_SRC_REPORT_ASSETS_H_

#include <string_view>

namespace twofold::report_assets {

extern const std::string_view kD3;          // d3.min.js
extern const std::string_view kD3License;   // its licence, in words
extern const std::string_view kPlots;       // plots/*.js: figures, for browsers and Duktape
extern const std::string_view kDom;         // dom.js: the document of Duktape
extern const std::string_view kPage;        // page/page.html, with places for the rest
extern const std::string_view kPageStyle;   // page/*.css
extern const std::string_view kPageTheme;   // page/theme.js, for the head
extern const std::string_view kPageScript;  // the rest of page/*.js

}  // namespace twofold::report_assets

#endif  // TWOFOLD_SRC_REPORT_ASSETS_H_
