// The samples on which a quantized model is worst.
#ifndef TWOFOLD_SENSITIVE_SAMPLES_H_
#define TWOFOLD_SENSITIVE_SAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "twofold/debug_subject.h"

namespace twofold {

struct SensitiveSample {
  int64_t sample = 0;  // counted from 0
  double value = 0;    // of the metric, of the worst output
};

// At most `count` samples of all data, worst first; of equals the first. Throws Error.
std::vector<SensitiveSample> select_sensitive_samples(const DebugSubject& subject, const std::string& metric,
                                                      int64_t count);

std::string to_json(const std::vector<SensitiveSample>& samples, const std::string& metric);

}  // namespace twofold

#endif  // TWOFOLD_SENSITIVE_SAMPLES_H_
