// Samples for calibration and evaluation: what a model's inputs are fed with.
#ifndef TWOFOLD_SRC_DATA_DATASET_H_
#define TWOFOLD_SRC_DATA_DATASET_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "twofold/samples.h"
#include "twofold/tensor.h"

namespace twofold {

// What one input of a model expects.
struct InputSpec {
  std::string name;
  TensorType type;
};

// The inputs of a graph, in its order.
std::vector<InputSpec> input_specs(const Graph& graph);

// (x - mean) * scale, in float32. Each list is empty (no change), has one entry (for all channels), or one per channel
// (axis 1).
struct Preprocess {
  std::vector<float> mean;
  std::vector<float> scale;
};

// How to read files that hold nothing but elements, in row-major order and the byte order of this machine.
struct RawFormat {
  DType dtype = DType::kUndefined;  // undefined: float32 or uint8, as the folder's name says by its end, _f32 or _uint8
  Shape shape;                      // -1 or empty: as the model declares it
};

struct DatasetOptions {
  std::map<std::string, Preprocess> preprocess;  // by input name
  std::map<std::string, RawFormat> raw;          // by input name
};

// Reading is lazy: a dataset on disk holds no more than the samples in use. Thread-safe; asking for samples in
// increasing order is the cheap way through a compressed archive.
class Dataset {
 public:
  virtual ~Dataset() = default;
  // Number of samples, at least 1.
  virtual int64_t size() const = 0;
  // The tensors of sample i, one per InputSpec in their order, in plain layout. Throws Error naming the file (or
  // sample), the input, and what was expected and found: shape, element type, NaN or infinity.
  virtual std::vector<Tensor> sample(int64_t i) const = 0;
};

// Opens
//   <dir>/<input name>/*.npy   (or folder_name() of it) one file per sample, as many for each input, in the order of
//   their names; <dir>/*.npz                one archive per sample, its keys the input names;
//   <dir>/b<index>_input_data_<input name>.npy   the same as a device's debugger dumps it (dumped_files.h);
//   <dir>/*.npy                one file per sample, for a model with one input;
//   <dir>/*, <dir>/<input name>/*   the same without headers (raw_files.h), where no file is .npy;
//   <file>.npz                 one array per input, whose first axis enumerates the samples;
//   <file>.npy                 the same, for a model with one input.
// "First axis enumerates": an array of one rank more than the input is cut into its slices; one of the input's own rank
// is too, with a batch of 1 kept, if the input's first dimension is 1 or not fixed; else it is one sample.
// A sample may lack the batch where the input's first dimension is 1 or not fixed.
// Any numbers become float32 where the input is float32; another type must have each of them exactly.
// Throws Error(kNotFound) if there is no such data, Error(kInvalidArgument) if it does not fit.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, std::vector<InputSpec> inputs,
                                      const DatasetOptions& options = {});

// One folder of .npy or raw files per input, wherever they are: folders[i] is that of inputs[i]. As many files in each,
// in the order of their names. REQUIRES: folders.size() == inputs.size(). Throws as open_dataset.
std::unique_ptr<Dataset> open_input_folders(const std::vector<std::filesystem::path>& folders,
                                            std::vector<InputSpec> inputs, const DatasetOptions& options = {});

// The samples of a program, one of which is asked for at a time. A sample may have more tensors than there are inputs.
// Throws Error(kInvalidArgument) if there are none.
std::unique_ptr<Dataset> make_dataset(std::shared_ptr<const SampleSource> source, std::vector<InputSpec> inputs,
                                      const DatasetOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_DATASET_H_
