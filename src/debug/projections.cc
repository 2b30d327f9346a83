#include "debug/projections.h"

#include <algorithm>
#include <cmath>

namespace twofold {

namespace {

// As in Sensitivity::noise.
constexpr double kWorst = 1e12;

double square(double x) { return x * x; }

double across(const SampleProjections& sample, size_t unit) {
  if (sample.is_exact) return std::max(sample.across[unit] - square(sample.along[unit]), 0.0);
  return sample.across[unit] / static_cast<double>(std::max<int64_t>(sample.probes, 1));
}

double energy(const SampleProjections& sample, size_t unit) {
  return square(sample.along[unit]) + across(sample, unit);
}

// Over the signal's energy.
double relative(double energy, double signal) {
  if (energy == 0) return 0;
  return signal > 0 ? std::min(energy / signal, kWorst) : kWorst;
}

double cosine_of(const SampleProjections& sample, size_t unit) {
  const double noise = energy(sample, unit);
  if (noise == 0) return 1;
  if (!(sample.signal > 0)) return 0;
  // <y, y + Je> / (|y| |y + Je|)
  const double along = sample.along[unit] / std::sqrt(sample.signal);
  const double length = 1 + 2 * along + noise / sample.signal;
  return length > 0 ? std::min((1 + along) / std::sqrt(length), 1.0) : 0;
}

template <typename Value>
double mean(const std::vector<SampleProjections>& samples, const Value& value) {
  double sum = 0;
  for (const SampleProjections& sample : samples) sum += value(sample);
  return sum / static_cast<double>(samples.size());
}

}  // namespace

double Projections::noise(size_t unit) const {
  return mean(samples_, [&](const SampleProjections& s) { return relative(energy(s, unit), s.signal); });
}

double Projections::noise_across(size_t unit) const {
  return mean(samples_, [&](const SampleProjections& s) { return relative(across(s, unit), s.signal); });
}

double Projections::standard_error(size_t unit) const {
  double sum = 0;
  for (const SampleProjections& sample : samples_) {
    if (sample.is_exact || sample.probes == 0) continue;
    // The variance of the square of <v, a> is at most 2 |a|^4.
    sum += square(relative(across(sample, unit), sample.signal)) * 2 / static_cast<double>(sample.probes);
  }
  return std::sqrt(sum) / static_cast<double>(samples_.size());
}

double Projections::mse(size_t unit) const {
  return mean(samples_, [&](const SampleProjections& s) {
    return energy(s, unit) / static_cast<double>(std::max<int64_t>(s.elements, 1));
  });
}

double Projections::cosine(size_t unit) const {
  return mean(samples_, [&](const SampleProjections& s) { return cosine_of(s, unit); });
}

}  // namespace twofold
