// Where samples come from: files, or a program.
#ifndef TWOFOLD_SAMPLES_H_
#define TWOFOLD_SAMPLES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// Samples that a program holds, reads or computes. Its functions are never called by two threads at once, but not
// always by the same one. Samples are asked for in increasing order, several times over, and not kept; the same number
// should give the same sample each time.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  // Number of samples.
  virtual int64_t size() const = 0;
  // The tensors of sample i, 0 <= i < size(), by name: one for each input, in plain layout. Others are left alone.
  virtual std::map<std::string, Tensor> sample(int64_t i) const = 0;
};

// Samples that are there already.
std::shared_ptr<const SampleSource> samples_in_memory(std::vector<std::map<std::string, Tensor>> samples);

// Either `path`: a directory of .npy files (one folder per input, or plain for a model with one input), a directory of
// .npz files, one .npz or one .npy (docs/data.md); or `source`.
struct Samples {
  std::filesystem::path path;
  std::shared_ptr<const SampleSource> source;
  int64_t limit = 0;  // only the first so many; 0: all
};

}  // namespace twofold

#endif  // TWOFOLD_SAMPLES_H_
