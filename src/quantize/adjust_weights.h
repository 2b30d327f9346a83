// What is done to weights beyond rounding to the nearest: layer by layer, measured on the layer's output.
#ifndef TWOFOLD_SRC_QUANTIZE_ADJUST_WEIGHTS_H_
#define TWOFOLD_SRC_QUANTIZE_ADJUST_WEIGHTS_H_

#include "plan/plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// Weights on trial are float32 again, and their kernels hold them once more: so many bytes of them are measured at a
// time.
inline constexpr size_t kTrialBytes = size_t{1} << 30;

// For every int8 weight whose rounding the plan leaves open (an empty list, or several entries): the entry with the
// smallest mean squared error of the layer's output over the model's search samples becomes the only one.
// REQUIRES: parameters decided. Memory: one sample's activations, and twice `trial_bytes`.
void choose_rounding(CalibratedModel& model, Plan& plan, size_t trial_bytes = kTrialBytes);

// For every weight whose plan asks for bias correction: the mean error that quantizing the weight makes in each output
// channel, over the configured number of samples (M. Nagel et al., 2019, "Data-Free Quantization through Weight
// Equalization and Bias Correction", section 4.2, with measured means), becomes the operand's bias_shift. Kept only
// where the layer's output gets better by the configured metric. Returns how many biases change.
int correct_biases(CalibratedModel& model, Plan& plan, size_t trial_bytes = kTrialBytes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_ADJUST_WEIGHTS_H_
