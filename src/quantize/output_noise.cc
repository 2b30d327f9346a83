#include "quantize/output_noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace twofold {

double noise_of_sqnr(double sqnr) {
  return std::isnan(sqnr) ? kWorstNoise : std::min(std::pow(10.0, -sqnr / 10), kWorstNoise);
}

double output_noise(const std::vector<std::vector<ErrorSums>>& errors) {
  std::vector<double> sums;  // by output
  for (const std::vector<ErrorSums>& sample : errors) {
    sums.resize(sample.size());
    for (size_t i = 0; i < sample.size(); ++i) sums[i] += noise_of_sqnr(sample[i].value(Metric::kSqnr));
  }
  const double worst = sums.empty() ? 0 : *std::ranges::max_element(sums);
  return errors.empty() ? 0 : worst / static_cast<double>(errors.size());
}

std::string decibels(double noise) {
  if (noise >= kWorstNoise) return "nothing (it is not a number)";
  return noise > 0 ? fmt::format("{:.1f} dB", -10 * std::log10(noise)) : "no error";
}

}  // namespace twofold
