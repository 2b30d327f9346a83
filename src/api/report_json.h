// What the reports' JSON has in common.
#ifndef TWOFOLD_SRC_API_REPORT_JSON_H_
#define TWOFOLD_SRC_API_REPORT_JSON_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json_number.h"

namespace twofold {

using ReportJson = nlohmann::ordered_json;

inline ReportJson numbers_json(const std::map<std::string, double>& values) {
  ReportJson result = ReportJson::object();
  for (const auto& [name, value] : values) result[name] = json_number(value);
  return result;
}

// A function of a row, of each.
template <typename Row, typename ToJson>
ReportJson list_json(const std::vector<Row>& rows, const ToJson& to_json) {
  ReportJson result = ReportJson::array();
  for (const Row& row : rows) result.push_back(to_json(row));
  return result;
}

// Names may hold bytes that are not UTF-8; they are replaced rather than refused.
inline std::string report_text(const ReportJson& json) {
  return json.dump(1, ' ', false, ReportJson::error_handler_t::replace) + "\n";
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_REPORT_JSON_H_
