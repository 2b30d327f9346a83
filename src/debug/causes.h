// Why an operand loses accuracy.
#ifndef TWOFOLD_SRC_DEBUG_CAUSES_H_
#define TWOFOLD_SRC_DEBUG_CAUSES_H_

#include <string>
#include <vector>

#include "debug/sensitivity.h"

namespace twofold {

enum class Cause : uint8_t {
  kClipping,  // numbers beyond the range
  kChannels,  // a few channels set a range that is too coarse for all others
  kRounding,  // the range is right, and 8 bits of it are too few
};
std::string_view to_string(Cause cause);

// One operand with its error taken apart. Noise as Sensitivity::noise: of the model's output, the operand alone
// changed.
struct OperandCause {
  std::string node, value;
  OperandRef operand;
  QType qtype = QType::kInt8;
  double noise = 0;           // quantized as planned
  double clipping = 0;        // numbers cut at the threshold, and not rounded
  double rounding = 0;        // rounded to the same steps, and not cut
  double per_channel = 0;     // rounded with a scale for every channel; as `rounding` where there are no channels
  float threshold = 0;        // largest magnitude that is not cut off
  float largest = 0;          // that occurs
  double clipped = 0;         // share of the numbers, as count_clipped()
  std::vector<int> channels;  // that set the range, where these are few: the largest first
  float others = 0;           // the largest magnitude in all other channels, where `channels` is not empty
  Cause cause = Cause::kRounding;
};

// Takes the errors of these operands of the plan apart, positions as in Plan::operands(). REQUIRES: they are
// inputs, and int8 or int16.
std::vector<OperandCause> find_causes(CalibratedModel& model, const Plan& plan, const std::vector<size_t>& operands,
                                      const std::vector<size_t>& outputs, const SensitivityOptions& options);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_CAUSES_H_
