// Makes a tensor read from a file what a model's input expects, or says why it cannot be.
#ifndef TWOFOLD_SRC_DATA_PREPARE_INPUT_H_
#define TWOFOLD_SRC_DATA_PREPARE_INPUT_H_

#include <string>

#include "data/dataset.h"

namespace twofold {

// Checks the shape, to which a batch of 1 is added where only that is missing; converts numbers to float32 if the input
// is float32, to other types where that loses nothing; applies `preprocess` (may be nullptr) and checks that no element
// is NaN or infinite. `source` (a file, a sample) starts every message.
Tensor prepare_input(const Tensor& tensor, const InputSpec& input, const Preprocess* preprocess,
                     const std::string& source);

// "[1,3,?,320]"; "any shape" if the rank is unknown.
std::string to_string(const TensorType& type);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_PREPARE_INPUT_H_
