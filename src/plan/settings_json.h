// The settings of operands as JSON, with the keys of the config file.
#ifndef TWOFOLD_SRC_PLAN_SETTINGS_JSON_H_
#define TWOFOLD_SRC_PLAN_SETTINGS_JSON_H_

#include "plan/config.h"
#include "plan/json_reader.h"

namespace twofold {

// Sets a key, unless the list is empty.
template <typename T>
void put(Json& json, const char* key, const std::vector<T>& values) {
  if (!values.empty()) json[key] = values;
}

// What is said, and no more.
Json settings_json(const ActivationConfig& activation);
Json settings_json(const WeightConfig& weight);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_SETTINGS_JSON_H_
