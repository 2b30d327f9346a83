// How far a quantized model's tensors are from the float model's (docs/numerics.md, rule 9).
#ifndef TWOFOLD_SRC_NUMERIC_METRICS_H_
#define TWOFOLD_SRC_NUMERIC_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace twofold {

enum class Metric : uint8_t { kCosineSimilarity, kMse, kMae, kMre, kSqnr, kChebyshev };
inline constexpr std::array kAllMetrics = {
    Metric::kCosineSimilarity, Metric::kMse, Metric::kMae, Metric::kMre, Metric::kSqnr, Metric::kChebyshev};

// "cosine-similarity", "mse", "mae", "mre", "sqnr", "chebyshev": the words of the config file.
std::string_view to_string(Metric metric);
std::optional<Metric> parse_metric(std::string_view text);

// True if the value `a` is better than `b`: closer to the float model. NaN is worse than every number.
bool better(Metric metric, double a, double b);

// Sums over the elements of one pair of tensors, from which every metric follows. Sums are in double and in a fixed
// order: the same calls give the same bits with every instruction set.
class ErrorSums {
 public:
  // Adds elements of the float model (`a`) and the quantized one (`b`). A sample may be added in pieces; the last bits
  // depend on where it was cut. REQUIRES: a.size() == b.size().
  void add(std::span<const float> a, std::span<const float> b);
  // Adds another part of the same sample.
  void merge(const ErrorSums& other);

  // With nothing added: no error (cosine 1, sqnr infinite, the rest 0).
  //   cosine-similarity  <a,b> / (|a| |b|); 1 if both are all 0, 0 if one is
  //   mse, mae           mean of (a - b)^2, of |a - b|
  //   mre                mean of |a - b| / max(|a|, 1e-12) over a != 0; 0 if there are none
  //   sqnr               10 log10(sum a^2 / sum (a - b)^2) dB; infinite without error, minus infinity without signal
  //   chebyshev          max |a - b|
  // NaN if an element is NaN in either, or infinite in both.
  double value(Metric metric) const;

 private:
  double aa_ = 0, bb_ = 0, ab_ = 0;                   // sums of a^2, b^2, a b
  double squared_ = 0, absolute_ = 0, relative_ = 0;  // sums over a - b
  double largest_ = 0;                                // max |a - b|
  uint64_t count_ = 0, nonzero_ = 0;                  // elements; of these, a != 0
};

// The average of each metric over samples. An infinite sqnr of one sample makes the average infinite.
class MetricMeans {
 public:
  void add(const ErrorSums& sample);
  // Adds the samples of another one behind the own. The last bits depend on the order of adding and merging.
  void merge(const MetricMeans& other);
  uint64_t num_samples() const { return count_; }
  // NaN without samples.
  double mean(Metric metric) const;
  // What mean() divides by num_samples().
  double sum(Metric metric) const { return sums_[static_cast<size_t>(metric)]; }

 private:
  std::array<double, kAllMetrics.size()> sums_{};
  uint64_t count_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_METRICS_H_
