#include "api/ptq_paths.h"

#include <algorithm>

#include "api/open_samples.h"
#include "base/error.h"
#include "base/files.h"
#include "data/random_dataset.h"
#include "onnx/export.h"

namespace twofold {

namespace {

// The folders in the order of the model's inputs: they stand in that of the config's, which may have no names.
std::vector<std::filesystem::path> by_input(const QuantConfig& config, const std::vector<InputSpec>& inputs) {
  if (config.cal_data_dirs.size() != inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument,
                "calibration_parameters.cal_data_dir names {} folders, but the model has {} input{}; name one folder "
                "per input, or one for all",
                config.cal_data_dirs.size(), inputs.size(), inputs.size() == 1 ? "" : "s");
  }
  const bool has_names = names_inputs(config);
  std::vector<std::filesystem::path> folders;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto it = std::ranges::find(config.inputs, inputs[i].name, &InputConfig::name);
    if (has_names && it == config.inputs.end()) {
      throw_error(ErrorCode::kInvalidArgument,
                  "calibration_parameters.cal_data_dir: which folder is input '{}'? It is not among the names in "
                  "input_parameters.input_name",
                  inputs[i].name);
    }
    folders.push_back(config.cal_data_dirs[has_names ? static_cast<size_t>(it - config.inputs.begin()) : i]);
  }
  return folders;
}

}  // namespace

std::filesystem::path PtqPaths::model() const {
  if (!model_.empty()) return model_;
  if (!config_.onnx_model.empty()) return config_.onnx_model;
  throw_error(ErrorCode::kInvalidArgument,
              "there is no model: name one (MODEL on the command line), or set model_parameters.onnx_model in the "
              "config");
}

std::filesystem::path PtqPaths::output() const {
  if (!output_.empty() || !names_output()) return output_;
  return config_.working_dir / (config_.output_model_file_prefix + ".onnx");
}

void PtqPaths::claim_named_output(JobOutputs& outputs) const {
  if (!output_.empty() || !names_output()) return;
  make_folders(config_.working_dir);
  claim_model(outputs, output());
  check_not_output(model());
}

std::unique_ptr<Dataset> PtqPaths::open(const std::vector<InputSpec>& inputs, const DatasetOptions& options) const {
  if (has_data()) return open_samples(data_, inputs, options);
  if (config_.random_data) return first_samples(make_random_dataset(inputs, options), data_.limit);
  const std::vector<std::filesystem::path> folders = data_folders(inputs);
  if (folders.empty()) return nullptr;
  return first_samples(
      folders.size() == 1 ? open_dataset(folders[0], inputs, options) : open_input_folders(folders, inputs, options),
      data_.limit);
}

std::vector<std::filesystem::path> PtqPaths::data_folders(const std::vector<InputSpec>& inputs) const {
  return config_.cal_data_dirs.size() < 2 ? config_.cal_data_dirs : by_input(config_, inputs);
}

std::vector<std::string> PtqPaths::notes() const {
  std::vector<std::string> keys, notes;
  const bool has_prefix = !config_.output_model_file_prefix.empty(), has_folder = !config_.working_dir.empty();
  if (!config_.onnx_model.empty() && !model_.empty()) keys.push_back("onnx_model");
  if (has_prefix && !output_.empty()) keys.push_back("output_model_file_prefix");
  if (has_folder && !output_.empty()) keys.push_back("working_dir");
  if (!config_.cal_data_dirs.empty() && has_data()) keys.push_back("cal_data_dir");
  if (config_.random_data && has_data()) keys.push_back("calibration_type");
  if (!keys.empty()) {
    notes.push_back(
        fmt::format("not taken from the config but from the command's arguments: {}", fmt::join(keys, ", ")));
  }
  if (config_.random_data && !has_data()) {
    notes.emplace_back(
        "no data were read: the config asks for random numbers, and all ranges and figures are those of such; they say "
        "nothing of accuracy");
  }
  if (output_.empty() && has_prefix != has_folder) {
    notes.push_back(fmt::format("no model is written: model_parameters has {0}, but no {1}",
                                has_folder ? "working_dir" : "output_model_file_prefix",
                                has_folder ? "output_model_file_prefix" : "working_dir"));
  }
  return notes;
}

}  // namespace twofold
