#include "data/dataset.h"

#include <algorithm>
#include <cctype>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "base/file_names.h"
#include "base/job_outputs.h"
#include "data/dumped_files.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/prepare_input.h"
#include "data/raw_files.h"
#include "data/stacked_array.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return fmt::format("'{}'", path.string()); }

// What all datasets do with the tensors they find.
class PreparedDataset : public Dataset {
 public:
  PreparedDataset(std::vector<InputSpec> inputs, DatasetOptions options)
      : inputs_(std::move(inputs)), options_(std::move(options)) {
    for (const auto& [name, preprocess] : options_.preprocess) {
      if (std::ranges::find(inputs_, name, &InputSpec::name) == inputs_.end()) {
        throw_error(ErrorCode::kNotFound, "mean or scale is given for input '{}', which the model does not have", name);
      }
    }
  }

 protected:
  const std::vector<InputSpec>& inputs() const { return inputs_; }

  Tensor prepare(const Tensor& tensor, size_t input, const std::string& source) const {
    const auto it = options_.preprocess.find(inputs_[input].name);
    return prepare_input(tensor, inputs_[input], it == options_.preprocess.end() ? nullptr : &it->second, source);
  }

 private:
  std::vector<InputSpec> inputs_;
  DatasetOptions options_;
};

// The files of one input, one per sample.
struct FilesOfInput {
  std::vector<fs::path> files;
  DType raw = DType::kUndefined;  // what their elements are where they hold nothing else; undefined: .npy
  Shape shape = {};               // of raw ones
};

// One file per input and sample.
class SampleFiles final : public PreparedDataset {
 public:
  SampleFiles(std::vector<InputSpec> inputs, DatasetOptions options, std::vector<FilesOfInput> files)
      : PreparedDataset(std::move(inputs), std::move(options)), files_(std::move(files)) {}

  int64_t size() const override { return static_cast<int64_t>(files_.front().files.size()); }

  std::vector<Tensor> sample(int64_t i) const override {
    std::vector<Tensor> tensors;
    for (size_t input = 0; input < files_.size(); ++input) {
      const FilesOfInput& files = files_[input];
      const fs::path& path = files.files.at(static_cast<size_t>(i));
      const bool is_raw = files.raw != DType::kUndefined;
      tensors.push_back(prepare(is_raw ? load_raw(path, inputs()[input], files.raw, files.shape) : load_npy(path),
                                input, quoted(path)));
    }
    return tensors;
  }

 private:
  std::vector<FilesOfInput> files_;  // by input
};

std::unique_ptr<const NpzArray> find_array(const NpzFile& file, const fs::path& path, const std::string& key) {
  std::unique_ptr<const NpzArray> array = file.find(key);
  if (array == nullptr) {
    throw_error(ErrorCode::kNotFound, "'{}' has no array for input '{}'; it has: {}", path.string(), key,
                fmt::join(file.keys(), ", "));
  }
  return array;
}

// One .npz file per sample.
class NpzFiles final : public PreparedDataset {
 public:
  NpzFiles(std::vector<InputSpec> inputs, DatasetOptions options, std::vector<fs::path> files)
      : PreparedDataset(std::move(inputs), std::move(options)), files_(std::move(files)) {}

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }

  std::vector<Tensor> sample(int64_t i) const override {
    const fs::path& path = files_.at(static_cast<size_t>(i));
    const NpzFile file(path);
    std::vector<Tensor> tensors;
    for (size_t input = 0; input < inputs().size(); ++input) {
      tensors.push_back(prepare(find_array(file, path, inputs()[input].name)->tensor(), input, quoted(path)));
    }
    return tensors;
  }

 private:
  std::vector<fs::path> files_;
};

// All samples of an input in one array.
class StackedDataset final : public PreparedDataset {
 public:
  StackedDataset(std::vector<InputSpec> inputs, DatasetOptions options, const fs::path& path,
                 std::vector<std::unique_ptr<StackedArray>> arrays)
      : PreparedDataset(std::move(inputs), std::move(options)), path_(path.string()), arrays_(std::move(arrays)) {
    for (size_t input = 1; input < arrays_.size(); ++input) {
      if (arrays_[input]->num_samples() != size()) {
        throw_error(ErrorCode::kInvalidArgument, "'{}' has {} samples for input '{}', but {} for input '{}'", path_,
                    size(), this->inputs()[0].name, arrays_[input]->num_samples(), this->inputs()[input].name);
      }
    }
    if (size() == 0) throw_error(ErrorCode::kInvalidArgument, "'{}' holds no samples", path_);
  }

  int64_t size() const override { return arrays_.front()->num_samples(); }

  std::vector<Tensor> sample(int64_t i) const override {
    std::vector<Tensor> tensors;
    for (size_t input = 0; input < arrays_.size(); ++input) {
      tensors.push_back(prepare(arrays_[input]->sample(i), input, fmt::format("'{}', sample {}", path_, i)));
    }
    return tensors;
  }

 private:
  std::string path_;
  std::vector<std::unique_ptr<StackedArray>> arrays_;
};

// Samples of a program.
class SourceDataset final : public PreparedDataset {
 public:
  SourceDataset(std::vector<InputSpec> inputs, DatasetOptions options, std::shared_ptr<const SampleSource> source)
      : PreparedDataset(std::move(inputs), std::move(options)), source_(std::move(source)), size_(source_->size()) {
    if (size_ <= 0) throw_error(ErrorCode::kInvalidArgument, "the data hold no samples");
  }

  int64_t size() const override { return size_; }

  std::vector<Tensor> sample(int64_t i) const override {
    const std::map<std::string, Tensor> raw = read(i);
    std::vector<Tensor> tensors;
    for (size_t input = 0; input < inputs().size(); ++input) {
      const auto it = raw.find(inputs()[input].name);
      if (it == raw.end()) fail(i, inputs()[input].name, raw);
      tensors.push_back(prepare(it->second, input, fmt::format("sample {}", i)));
    }
    return tensors;
  }

 private:
  std::map<std::string, Tensor> read(int64_t i) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return source_->sample(i);
  }

  [[noreturn]] static void fail(int64_t i, const std::string& input, const std::map<std::string, Tensor>& raw) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : raw) names.push_back(name);
    throw_error(ErrorCode::kInvalidArgument, "sample {} has no array of numbers for input '{}'; it has: {}", i, input,
                names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
  }

  std::shared_ptr<const SampleSource> source_;
  int64_t size_;
  mutable std::mutex mutex_;
};

// The files of a folder with an extension, in the order of their names, empty if the folder is not there; without one,
// all but hidden ones.
std::vector<fs::path> list_files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool is_meant =
        extension.empty() ? !entry.path().filename().string().starts_with('.') : entry.path().extension() == extension;
    if (!entry.is_regular_file() || !is_meant) continue;
    check_not_output(entry.path());
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

bool is_image(const fs::path& path) {
  static constexpr std::string_view kExtensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kExtensions, extension) != std::end(kExtensions);
}

// The samples of one input in a folder: .npy files, else raw ones where their type is known. No files: neither.
FilesOfInput files_of_folder(const fs::path& folder, const InputSpec& input, const DatasetOptions& options) {
  FilesOfInput result{list_files(folder, ".npy")};
  if (!result.files.empty()) return result;
  std::vector<fs::path> others = list_files(folder, "");
  if (std::ranges::any_of(others, is_image)) {
    throw_error(ErrorCode::kUnsupported,
                "'{}' holds images; twofold's Python package reads them (pip install twofold[images], then "
                "twofold.quantize), or save them as .npy arrays",
                folder.string());
  }
  result.raw = raw_type(folder, input, options);
  if (result.raw == DType::kUndefined || others.empty()) return {};
  const std::optional<Shape> shape = fixed_shape(input, options);
  if (!shape) {
    throw_error(ErrorCode::kInvalidArgument,
                "'{}' holds raw files, and the model leaves the shape of input '{}' open: {}; say it in "
                "input_parameters.input_shape",
                folder.string(), input.name, to_string(input.type));
  }
  result.files = std::move(others);
  result.shape = *shape;
  return result;
}

// As `run` names it for the next model, or as the input is called, in folders in folders if there is a '/' in that.
fs::path folder_of_input(const fs::path& path, const std::string& name) {
  const fs::path written = path / folder_name(name);
  return fs::is_directory(written) ? written : path / fs::path(name).relative_path();
}

std::unique_ptr<Dataset> open_folder(const fs::path& path, std::vector<InputSpec> inputs,
                                     const DatasetOptions& options) {
  const auto has_folder = [&](const InputSpec& input) { return fs::is_directory(folder_of_input(path, input.name)); };
  if (std::ranges::any_of(inputs, has_folder)) {
    std::vector<fs::path> folders;
    for (const InputSpec& input : inputs) folders.push_back(folder_of_input(path, input.name));
    return open_input_folders(folders, std::move(inputs), options);
  }
  if (std::vector<fs::path> archives = list_files(path, ".npz"); !archives.empty()) {
    return std::make_unique<NpzFiles>(std::move(inputs), options, std::move(archives));
  }
  std::vector<std::string> names;
  for (const InputSpec& input : inputs) names.push_back(input.name);
  std::vector<FilesOfInput> files;
  for (std::vector<fs::path>& of_input : dumped_files(list_files(path, ".npy"), names)) {
    files.push_back({std::move(of_input)});
  }
  if (files.empty()) files.push_back(files_of_folder(path, inputs.front(), options));
  if (files.front().files.empty()) {
    throw_error(
        ErrorCode::kNotFound,
        "'{}' holds no data: neither .npz nor .npy files, nor a folder named '{}', nor raw files of a type that "
        "is known",
        path.string(), inputs.front().name);
  }
  if (files.size() != inputs.size()) {
    throw_error(ErrorCode::kInvalidArgument,
                "'{}' holds {} files, but the model has {} inputs; put the files of each into a folder with the "
                "input's name",
                path.string(), files.front().raw == DType::kUndefined ? ".npy" : "raw", inputs.size());
  }
  return std::make_unique<SampleFiles>(std::move(inputs), options, std::move(files));
}

std::unique_ptr<Dataset> open_file(const fs::path& path, std::vector<InputSpec> inputs, const DatasetOptions& options) {
  std::vector<std::unique_ptr<StackedArray>> arrays;
  if (path.extension() == ".npz") {
    const NpzFile file(path);
    for (const InputSpec& input : inputs) {
      arrays.push_back(StackedArray::from_npz(find_array(file, path, input.name), input, quoted(path)));
    }
  } else if (path.extension() == ".npy") {
    if (inputs.size() != 1) {
      throw_error(ErrorCode::kInvalidArgument, "'{}' is one array, but the model has {} inputs; use an .npz file",
                  path.string(), inputs.size());
    }
    arrays.push_back(StackedArray::from_npy(path, inputs.front()));
  } else {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is neither a folder nor an .npy or .npz file", path.string());
  }
  return std::make_unique<StackedDataset>(std::move(inputs), options, path, std::move(arrays));
}

}  // namespace

std::vector<InputSpec> input_specs(const Graph& graph) {
  std::vector<InputSpec> specs;
  for (ValueId id : graph.inputs) specs.push_back({graph.value(id).name, graph.value(id).type});
  return specs;
}

std::unique_ptr<Dataset> open_input_folders(const std::vector<fs::path>& folders, std::vector<InputSpec> inputs,
                                            const DatasetOptions& options) {
  TWOFOLD_CHECK(folders.size() == inputs.size());
  std::vector<FilesOfInput> files;
  for (size_t i = 0; i < inputs.size(); ++i) {
    files.push_back(files_of_folder(folders[i], inputs[i], options));
    const size_t count = files[i].files.size();
    if (count == 0) {
      throw_error(ErrorCode::kNotFound, "input '{}' has no .npy files in '{}', nor raw files of a type that is known",
                  inputs[i].name, folders[i].string());
    }
    if (count != files[0].files.size()) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' has {} samples in '{}', but input '{}' has {} in '{}'",
                  inputs[0].name, files[0].files.size(), folders[0].string(), inputs[i].name, count,
                  folders[i].string());
    }
  }
  return std::make_unique<SampleFiles>(std::move(inputs), options, std::move(files));
}

std::unique_ptr<Dataset> open_dataset(const fs::path& path, std::vector<InputSpec> inputs,
                                      const DatasetOptions& options) {
  if (inputs.empty())
    throw_error(ErrorCode::kInvalidArgument, "the model has no inputs to feed '{}' to", path.string());
  try {
    if (!fs::exists(path)) throw_error(ErrorCode::kNotFound, "there is no data at '{}'", path.string());
    return fs::is_directory(path) ? open_folder(path, std::move(inputs), options)
                                  : open_file(path, std::move(inputs), options);
  } catch (const fs::filesystem_error& error) {
    throw_error(ErrorCode::kIo, "cannot read '{}': {}", path.string(), error.code().message());
  }
}

std::unique_ptr<Dataset> make_dataset(std::shared_ptr<const SampleSource> source, std::vector<InputSpec> inputs,
                                      const DatasetOptions& options) {
  return std::make_unique<SourceDataset>(std::move(inputs), options, std::move(source));
}

}  // namespace twofold
