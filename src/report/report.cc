#include "report/report.h"

#include <fmt/format.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "base/check.h"
#include "report/assets.h"
#include "report/checked_object.h"
#include "report/report_check.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

// Text for a place between tags.
std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

// JSON for a <script>, which ends at "</script" whatever it holds. In JSON a "<" stands in strings alone.
std::string escape_script(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Rounds the numbers of tensors to the 7 digits that are shown at most: there are so many that they are most of a page.
void round_numbers(Json& json) {
  if (json.is_number_float()) {
    json = std::strtod(fmt::format("{:.7g}", json.get<double>()).c_str(), nullptr);
  } else if (json.is_structured()) {
    for (Json& element : json) round_numbers(element);
  }
}

// The page with a content for each "{{name}}", in the order in which they stand there.
std::string fill_page(std::initializer_list<std::pair<std::string_view, std::string_view>> contents) {
  std::string filled;
  std::string_view rest = report_assets::kPage;
  for (const auto& [place, content] : contents) {
    const size_t begin = rest.find(place);
    TWOFOLD_CHECK(begin != std::string_view::npos);
    filled.append(rest.substr(0, begin)).append(content);
    rest.remove_prefix(begin + place.size());
  }
  return filled.append(rest);
}

}  // namespace

std::string report_html(std::string_view report_json) {
  Json report = parse_json(report_json, "report");
  check_report(report);
  if (report.contains("tensors")) round_numbers(report["tensors"]);
  return fill_page({
      {"{{title}}", escape_html(report["title"].get_ref<const std::string&>())},
      {"{{style}}", report_assets::kPageStyle},
      {"{{plots}}", report_assets::kPlots},
      {"{{theme}}", report_assets::kPageTheme},
      {"{{d3_license}}", escape_html(report_assets::kD3License)},
      {"{{data}}", escape_script(report.dump())},
      {"{{d3}}", report_assets::kD3},
      {"{{page}}", report_assets::kPageScript},
  });
}

}  // namespace twofold
