// Samples of the public API as a Dataset.
#ifndef TWOFOLD_SRC_API_OPEN_SAMPLES_H_
#define TWOFOLD_SRC_API_OPEN_SAMPLES_H_

#include <memory>

#include "data/dataset.h"
#include "twofold/samples.h"

namespace twofold {

// Throws Error naming the file, or the sample and input, that is missing or does not fit.
std::unique_ptr<Dataset> open_samples(const Samples& samples, const std::vector<InputSpec>& inputs,
                                      const DatasetOptions& options = {});

// The first `limit` of them, or all: where it is 0, or there are no more.
std::unique_ptr<Dataset> first_samples(std::unique_ptr<Dataset> samples, int64_t limit);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_OPEN_SAMPLES_H_
