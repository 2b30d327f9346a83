// Running a model on a folder of samples.
#ifndef TWOFOLD_RUN_H_
#define TWOFOLD_RUN_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "twofold/quantize.h"
#include "twofold/samples.h"
#include "twofold/session.h"

namespace twofold {

struct RunOptions {
  ConfigSource config;            // of which input_parameters alone are used: mean and scale are applied to the data
  int threads = 0;                // 0: all cores
  bool ec_in_two_passes = false;  // as SessionOptions'
  Progress progress = nullptr;
  Cancelled cancelled = nullptr;
};

struct RunReport {
  std::string model, folder;
  int64_t samples = 0;
  std::vector<TensorInfo> outputs;
  double seconds = 0;              // spent in the model, reading and writing not counted
  std::vector<std::string> notes;  // whether mean and scale of the config were applied
};

// Writes <folder>/<output name>/<sample>.npy for every output and sample, the layout that Samples reads; characters of
// a name that do not belong into a file name become '_'. Makes the folders. Throws Error naming sample or file.
RunReport run_model(const std::filesystem::path& model, const Samples& data, const std::filesystem::path& folder,
                    const RunOptions& options = {});

std::string to_json(const RunReport& report);

}  // namespace twofold

#endif  // TWOFOLD_RUN_H_
