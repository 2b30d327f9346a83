// The error of a model's outputs as one number that adds up.
#ifndef TWOFOLD_SRC_QUANTIZE_OUTPUT_NOISE_H_
#define TWOFOLD_SRC_QUANTIZE_OUTPUT_NOISE_H_

#include <string>
#include <vector>

#include "numeric/metrics.h"

namespace twofold {

// Of an output that is not a number, or has no signal that its error could be compared with.
inline constexpr double kWorstNoise = 1e12;

// Energy of the error over that of the signal, 10^(-sqnr / 10), at most kWorstNoise.
double noise_of_sqnr(double sqnr);

// Of the output where it is largest: the mean over the samples. Of errors that have nothing to do with one another it
// adds up. `errors`: [sample][output], as Trials::errors gives them.
double output_noise(const std::vector<std::vector<ErrorSums>>& errors);

// Decibels of signal over noise: "27.0 dB"; "no error".
std::string decibels(double noise);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_OUTPUT_NOISE_H_
