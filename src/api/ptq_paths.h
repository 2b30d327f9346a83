// Model, data and output of a job, where the paths of a PTQ file stand in for those that the caller leaves out.
#ifndef TWOFOLD_SRC_API_PTQ_PATHS_H_
#define TWOFOLD_SRC_API_PTQ_PATHS_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/job_outputs.h"
#include "data/dataset.h"
#include "plan/config.h"
#include "twofold/samples.h"

namespace twofold {

// What the caller gives, and for what is missing there, the config.
class PtqPaths {
 public:
  PtqPaths(const QuantConfig& config, std::filesystem::path model, const Samples& data, std::filesystem::path output)
      : config_(config), model_(std::move(model)), data_(data), output_(std::move(output)) {}

  // Throws Error(kInvalidArgument) where neither names one.
  std::filesystem::path model() const;
  // Empty: no file is asked for.
  std::filesystem::path output() const;
  // Makes the folder of an output that the config names, and claims the file. Throws Error(kIo) if it cannot be
  // written, Error(kInvalidArgument) if it is the model or another output.
  void claim_named_output(JobOutputs& outputs) const;
  // Throws Error as open_dataset. Null where neither names any.
  std::unique_ptr<Dataset> open(const std::vector<InputSpec>& inputs, const DatasetOptions& options) const;

  // The config's, in the order of the model's inputs where there are several. Throws Error(kInvalidArgument) where they
  // do not fit.
  std::vector<std::filesystem::path> data_folders(const std::vector<InputSpec>& inputs) const;

  // Sentences that name the paths of the config that are not used.
  std::vector<std::string> notes() const;

 private:
  bool has_data() const { return data_.source != nullptr || !data_.path.empty(); }
  bool names_output() const { return !config_.working_dir.empty() && !config_.output_model_file_prefix.empty(); }

  const QuantConfig& config_;
  std::filesystem::path model_;
  const Samples& data_;
  std::filesystem::path output_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_PTQ_PATHS_H_
