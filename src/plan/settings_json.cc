#include "plan/settings_json.h"

namespace twofold {

Json settings_json(const ActivationConfig& activation) {
  Json json = Json::object();
  put(json, "calibration_type", words_of(std::span(activation.methods)));
  put(json, "num_bin", activation.num_bin);
  put(json, "max_num_bin", activation.max_num_bin);
  put(json, "max_percentile", activation.max_percentile);
  put(json, "per_channel", activation.per_channel);
  put(json, "asymmetric", activation.asymmetric);
  return json;
}

Json settings_json(const WeightConfig& weight) {
  Json json = Json::object();
  put(json, "rounding", words_of(std::span(weight.rounding)));
  if (weight.bias_correction) {
    json["bias_correction"] = {{"num_sample", weight.bias_correction->num_sample},
                               {"metric", to_string(weight.bias_correction->metric)}};
  }
  if (weight.reduce_range) json["reduce_range"] = *weight.reduce_range;
  return json;
}

}  // namespace twofold
