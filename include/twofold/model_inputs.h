// What a model is fed with, for programs that make its samples: of images, say.
#ifndef TWOFOLD_MODEL_INPUTS_H_
#define TWOFOLD_MODEL_INPUTS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/tensor.h"

namespace twofold {

struct ModelInput {
  std::string name;
  bool known_rank = true;
  Shape shape;          // that of input_parameters.input_shape where the model leaves it open; -1 where that does too
  std::string colours;  // input_type_train: "rgb", "bgr", "gray", ...; empty: not said
  std::string layout;   // input_layout_train: "NCHW" or "NHWC"; empty: not said
};

struct ModelInputs {
  std::vector<ModelInput> inputs;          // in the order of the model
  std::vector<std::string> cal_data_dirs;  // of the config: none, one, or one for each of `inputs`
  bool resizes_images = false;             // preprocess_on
};

// Of the model, or where that is empty of the config's onnx_model. Throws Error as quantize() does.
ModelInputs model_inputs(const std::filesystem::path& model, const ConfigSource& config);

std::string to_json(const ModelInputs& inputs);

// Folders of samples that the config names, in its own order; it is not known yet of which inputs they are.
std::vector<std::string> calibration_folders(const ConfigSource& config);

}  // namespace twofold

#endif  // TWOFOLD_MODEL_INPUTS_H_
