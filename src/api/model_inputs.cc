#include "twofold/model_inputs.h"

#include <algorithm>

#include "api/ptq_paths.h"
#include "api/read_config.h"
#include "api/tensor_info.h"
#include "onnx/import.h"
#include "plan/json_reader.h"

namespace twofold {

namespace {

// What the config says of an input, by its name, or by its place where the config has no names.
const InputConfig* described(const QuantConfig& config, const std::string& name, size_t place) {
  const auto it = std::ranges::find(config.inputs, name, &InputConfig::name);
  if (it != config.inputs.end()) return &*it;
  const bool fits = place < config.inputs.size() && config.inputs[place].name.empty();
  return fits ? &config.inputs[place] : nullptr;
}

}  // namespace

ModelInputs model_inputs(const std::filesystem::path& model, const ConfigSource& source) {
  const QuantConfig config = read_config(source);
  const Samples none;
  const PtqPaths paths(config, model, none, {});
  const Graph graph = import_onnx(paths.model());
  ModelInputs result;
  for (const TensorInfo& info : input_infos(graph)) {
    ModelInput input{.name = info.name, .known_rank = info.known_rank, .shape = info.shape};
    if (const InputConfig* said = described(config, info.name, result.inputs.size())) {
      for (size_t i = 0; i < std::min(said->shape.size(), input.shape.size()); ++i) {
        if (input.shape[i] < 0) input.shape[i] = said->shape[i];
      }
      input.colours = said->colours;
      input.layout = said->layout;
    }
    result.inputs.push_back(std::move(input));
  }
  for (const std::filesystem::path& folder : paths.data_folders(input_specs(graph))) {
    result.cal_data_dirs.push_back(folder.string());
  }
  result.resizes_images = config.resizes_images;
  return result;
}

std::vector<std::string> calibration_folders(const ConfigSource& config) {
  std::vector<std::string> folders;
  for (const std::filesystem::path& folder : read_config(config).cal_data_dirs) folders.push_back(folder.string());
  return folders;
}

std::string to_json(const ModelInputs& inputs) {
  Json rows = Json::array();
  for (const ModelInput& input : inputs.inputs) {
    rows.push_back({{"name", input.name},
                    {"shape", input.known_rank ? Json(input.shape) : Json()},
                    {"colours", input.colours},
                    {"layout", input.layout}});
  }
  return Json{{"inputs", rows}, {"cal_data_dirs", inputs.cal_data_dirs}, {"resizes_images", inputs.resizes_images}}
      .dump();
}

}  // namespace twofold
