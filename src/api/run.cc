#include "twofold/run.h"

#include <algorithm>
#include <chrono>

#include "api/config_notes.h"
#include "api/open_samples.h"
#include "api/preprocessing.h"
#include "api/read_config.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/file_names.h"
#include "base/files.h"
#include "base/job_outputs.h"
#include "data/npy.h"

namespace twofold {

namespace {

std::vector<InputSpec> input_specs(const std::vector<TensorInfo>& infos) {
  std::vector<InputSpec> specs;
  for (const TensorInfo& info : infos) {
    TensorType type{info.dtype, std::nullopt};
    if (info.known_rank) {
      type.shape.emplace();
      for (int64_t dim : info.shape) type.shape->push_back({dim, ""});
    }
    specs.push_back({info.name, std::move(type)});
  }
  return specs;
}

}  // namespace

RunReport run_model(const std::filesystem::path& model, const Samples& data, const std::filesystem::path& folder,
                    const RunOptions& options) {
  const CancellationScope scope(options.cancelled);
  const QuantConfig config = read_config(options.config);
  const Session session(model, {.threads = options.threads, .ec_in_two_passes = options.ec_in_two_passes});
  const std::vector<InputSpec> inputs = input_specs(session.inputs());
  std::vector<std::filesystem::path> folders;
  JobOutputs written;
  for (const TensorInfo& output : session.outputs()) {
    folders.push_back(folder / folder_name(output.name));
    written.add_folder(folders.back());
  }
  const std::unique_ptr<Dataset> samples = open_samples(data, inputs, dataset_options(config, inputs));
  for (const std::filesystem::path& output : folders) make_folders(output);
  RunReport report{model.string(), folder.string(), samples->size(), session.outputs(), 0, preprocessing_notes(config)};
  const size_t digits = std::max<size_t>(6, std::to_string(samples->size() - 1).size());
  for (int64_t i = 0; i < samples->size(); ++i) {
    const std::vector<Tensor> sample = samples->sample(i);
    const auto start = std::chrono::steady_clock::now();
    std::vector<Tensor> outputs;
    try {
      outputs = session.run(sample);
    } catch (const Error& error) {
      throw_error(error.code(), "sample {}: {}", i, error.what());
    }
    report.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t o = 0; o < outputs.size(); ++o) {
      save_npy(folders[o] / fmt::format("{:0{}}.npy", i, digits), outputs[o]);
    }
    if (options.progress) options.progress("run", i + 1, samples->size());
  }
  return report;
}

}  // namespace twofold
