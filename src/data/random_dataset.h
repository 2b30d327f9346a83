// Random numbers in place of data.
#ifndef TWOFOLD_SRC_DATA_RANDOM_DATASET_H_
#define TWOFOLD_SRC_DATA_RANDOM_DATASET_H_

#include <memory>
#include <vector>

#include "data/dataset.h"

namespace twofold {

// How many samples there are.
inline constexpr int64_t kRandomSamples = 8;

// Normally distributed numbers (mean 0, variance 1), the same in every run. Shapes are those of `options.raw` where the
// model leaves one open, with a batch of 1 where neither says. Throws Error(kInvalidArgument) naming an input whose
// shape is open or whose type is not float32.
std::unique_ptr<Dataset> make_random_dataset(std::vector<InputSpec> inputs, const DatasetOptions& options);

// One such tensor. Throws the same.
Tensor random_input(const InputSpec& input, const DatasetOptions& options, uint32_t seed);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_RANDOM_DATASET_H_
