// From the input_parameters of a config to what is done to the data.
#ifndef TWOFOLD_SRC_API_PREPROCESSING_H_
#define TWOFOLD_SRC_API_PREPROCESSING_H_

#include <vector>

#include "data/dataset.h"
#include "plan/config.h"

namespace twofold {

// Mean and scale of every input that the config has them for, where data_of() says that they are for the data; and the
// form of raw files. Entries without a name stand in the order of the model's inputs. Throws Error(kNotFound) for an
// input that the model does not have, Error(kInvalidArgument) where the shape is another one than the model's.
DatasetOptions dataset_options(const QuantConfig& config, const std::vector<InputSpec>& inputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_PREPROCESSING_H_
