// What was seen of one tensor, and the threshold that a range method makes of it.
#ifndef TWOFOLD_TENSOR_STATISTICS_H_
#define TWOFOLD_TENSOR_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "twofold/dtype.h"
#include "twofold/tensor.h"

namespace twofold {

class RangeStatistics;

// A range and a histogram, as calibration keeps them of each tensor of a model: 128 KiB, however much was seen.
class TensorStatistics {
 public:
  TensorStatistics();
  TensorStatistics(TensorStatistics&&) noexcept;
  TensorStatistics& operator=(TensorStatistics&&) noexcept;
  ~TensorStatistics();
  // Throws Error(kInvalidArgument) that says what is wrong with bytes that to_bytes() does not make.
  static TensorStatistics from_bytes(std::span<const std::byte> bytes);

  // Adds a float32 tensor; an empty one adds nothing. Throws Error(kInvalidArgument) on another dtype, and on NaN and
  // infinity; the object may only be destroyed then.
  void observe(const Tensor& tensor);
  // Adds what another has seen: the same, to the bit, as if one had seen all, in whatever order.
  void merge(const TensorStatistics& other);
  std::vector<std::byte> to_bytes() const;

  uint64_t count() const;  // of elements
  float min() const;       // 0 where nothing was seen
  float max() const;

  // The symmetric threshold T >= 0 that quantizing a model with `method` ("max", "percentile", "kl", "mse") finds for
  // these numbers; 0 if nothing was seen. `percentile` is the share of elements that is kept, 0.5 to 1; `num_bin` kl's
  // number of bins over the bulk of the numbers, at least 129. Throws Error(kInvalidArgument) for other values, and
  // where qtype is no integer.
  float threshold(std::string_view method, QType qtype, double percentile = 1.0, int num_bin = 1024) const;

 private:
  std::unique_ptr<RangeStatistics> seen_;
};

}  // namespace twofold

#endif  // TWOFOLD_TENSOR_STATISTICS_H_
