// The numbers of operands before and after they are quantized.
#ifndef TWOFOLD_SRC_DEBUG_OPERAND_STATISTICS_H_
#define TWOFOLD_SRC_DEBUG_OPERAND_STATISTICS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "numeric/metrics.h"
#include "plan/plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

struct Moments {
  double min = 0, max = 0, mean = 0, deviation = 0;
};

// Counts of numbers in at most so many bins of equal width as were asked for: bin i holds [low + i step, low + (i + 1)
// step), the last one its end too. NaN is in none.
struct Bins {
  double low = 0, step = 0;
  std::vector<uint64_t> before, after;
};

struct OperandStatistics {
  size_t operand = 0;  // by position in Plan::operands()
  Shape shape;         // of the first sample
  uint64_t count = 0;  // of numbers, over all samples
  Moments before, after;
  double clipped = 0;  // share of the numbers, as count_clipped()
  ErrorSums error;     // of all numbers
  Bins bins;
  // Channels and their share of the error's energy, largest first, at most ten.
  int channel_axis = -1;
  std::vector<std::pair<int, double>> worst_channels;
};

// Of operands that get integers, on what the float model computes for the search samples: each is quantized by itself,
// as the quantized model does it.
// Runs the samples twice. Constants do not depend on samples.
// `progress` hears how many tensors are done.
std::vector<OperandStatistics> operand_statistics(
    CalibratedModel& model, const Plan& plan, const std::vector<size_t>& operands, size_t bins,
    const std::function<void(int64_t done, int64_t total)>& progress = nullptr);

// What a node computes, in the float model and in the whole quantized one.
struct ComputedTensor {
  std::string tensor, node;
  int output = 0;  // of the node
  Shape shape;     // of the first sample
  Moments before, after;
  ErrorSums error;  // of all numbers
};
// Every float tensor that nodes compute and that the quantized model has too, in graph order. Runs both models on the
// search samples; memory: what the float one computes for a sample.
std::vector<ComputedTensor> computed_tensors(CalibratedModel& model, const Plan& plan);

// Smallest, quartiles, and largest of the numbers in every channel along an axis, over all search samples: of n numbers
// in order, those at (n - 1) k / 4, rounded down. NaN is left out.
using Box = std::array<double, 5>;
// Memory: all these numbers. REQUIRES: axes that the values have.
std::map<ValueId, std::vector<Box>> channel_boxes(CalibratedModel& model, const std::map<ValueId, int>& axes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_OPERAND_STATISTICS_H_
