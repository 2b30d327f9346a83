// One array that holds all samples of an input along its first axis.
#ifndef TWOFOLD_SRC_DATA_STACKED_ARRAY_H_
#define TWOFOLD_SRC_DATA_STACKED_ARRAY_H_

#include <filesystem>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/npy.h"
#include "data/npz.h"

namespace twofold {

// Small arrays are kept in memory; of large ones a sample is read when it is asked for. Thread-safe.
class StackedArray {
 public:
  virtual ~StackedArray() = default;

  int64_t num_samples() const { return num_samples_; }
  // Sample i, in the element type of the file. REQUIRES: 0 <= i < num_samples().
  Tensor sample(int64_t i) const;

  // Throws Error(kInvalidArgument) naming `source` and the input if the array's rank does not fit the input's.
  static std::unique_ptr<StackedArray> from_npy(const std::filesystem::path& path, const InputSpec& input);
  static std::unique_ptr<StackedArray> from_npz(std::unique_ptr<const NpzArray> array, const InputSpec& input,
                                                const std::string& source);

 protected:
  StackedArray() = default;
  void set_header(const NpyHeader& header, const InputSpec& input, const std::string& source);
  // Fills `out` with the elements' bytes from `offset` on.
  virtual void read(size_t offset, std::span<std::byte> out) const = 0;

 private:
  DType dtype_ = DType::kUndefined;
  Shape sample_shape_;
  int64_t num_samples_ = 0;
  Tensor whole_;  // undefined if samples are read one by one
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_STACKED_ARRAY_H_
