// Where samples come from: files, or tensors in memory.
#ifndef TWOFOLD_SAMPLES_H_
#define TWOFOLD_SAMPLES_H_

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// Either `path`: a directory of .npy files (one folder per input, or plain for a model with one input), a directory of
// .npz files, one .npz or one .npy (docs/data.md); or `tensors`: per sample a tensor for every input, by name.
struct Samples {
  std::filesystem::path path;
  std::vector<std::map<std::string, Tensor>> tensors;
};

}  // namespace twofold

#endif  // TWOFOLD_SAMPLES_H_
