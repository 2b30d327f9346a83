// What the sweeps from one output have found of every unit's error there.
#ifndef TWOFOLD_SRC_DEBUG_PROJECTIONS_H_
#define TWOFOLD_SRC_DEBUG_PROJECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twofold {

// Of one sample: y, the output, and per unit Je, what it changes to first order.
struct SampleProjections {
  double signal = 0;           // |y|^2
  int64_t elements = 0;        // of y
  int64_t probes = 0;          // squares summed in `across`
  bool is_exact = false;       // all elements of Je are known; `across` holds all of |Je|^2
  std::vector<double> along;   // <y, Je> / |y|; 0 where y is 0
  std::vector<double> across;  // sum over probes: squares of <v, Je> with what lies along y taken out

  // One element of Je, and the same of y / |y|.
  void add_element(size_t unit, double change, double share) {
    along[unit] += change * share;
    across[unit] += change * change;
  }
};

class Projections {
 public:
  Projections(size_t samples, size_t units) : samples_(samples) {
    for (SampleProjections& sample : samples_) {
      sample.along.resize(units, 0.0);
      sample.across.resize(units, 0.0);
    }
  }

  SampleProjections& sample(size_t i) { return samples_[i]; }
  size_t samples() const { return samples_.size(); }

  // All means over the samples. Error energy over signal energy, ...
  double noise(size_t unit) const;
  // ... of it what cosine-similarity sees, ...
  double noise_across(size_t unit) const;
  // ... and the standard error of both: at most so much, as that of squares of normal numbers.
  double standard_error(size_t unit) const;
  double mse(size_t unit) const;
  double cosine(size_t unit) const;

 private:
  std::vector<SampleProjections> samples_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_PROJECTIONS_H_
