// Samples in files that hold nothing but elements, as NumPy's tofile() writes them.
#ifndef TWOFOLD_SRC_DATA_RAW_FILES_H_
#define TWOFOLD_SRC_DATA_RAW_FILES_H_

#include <filesystem>
#include <optional>

#include "data/dataset.h"

namespace twofold {

// The shape of an input's samples: that of `options.raw` where the model leaves it open, and a batch of 1 where neither
// says. Absent if another dimension stays open, or the rank.
std::optional<Shape> fixed_shape(const InputSpec& input, const DatasetOptions& options);

// The element type of the files in a folder: as `options.raw` says, else float32 or uint8 for a folder whose name ends
// in _f32 or _uint8; undefined where nothing says it.
DType raw_type(const std::filesystem::path& folder, const InputSpec& input, const DatasetOptions& options);

// Throws Error(kInvalidArgument) where the file has not the size that type and shape take, naming both.
Tensor load_raw(const std::filesystem::path& file, const InputSpec& input, DType dtype, const Shape& shape);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_RAW_FILES_H_
