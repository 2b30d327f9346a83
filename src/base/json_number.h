// Numbers that JSON has no word for, such as an infinite sqnr, as strings: "inf", "-inf", "nan".
#ifndef TWOFOLD_SRC_BASE_JSON_NUMBER_H_
#define TWOFOLD_SRC_BASE_JSON_NUMBER_H_

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace twofold {

inline nlohmann::ordered_json json_number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

// The number that json_number() wrote. Throws nlohmann::json::exception for anything else.
inline double number_of_json(const nlohmann::ordered_json& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  if (text != "inf" && text != "-inf") throw nlohmann::ordered_json::type_error::create(302, "not a number", &json);
  return text == "inf" ? infinity : -infinity;
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_JSON_NUMBER_H_
