// Comparing two models on the same samples.
#ifndef TWOFOLD_VERIFY_H_
#define TWOFOLD_VERIFY_H_

#include <filesystem>
#include <string>
#include <vector>

#include "twofold/quantize.h"
#include "twofold/samples.h"

namespace twofold {

struct VerifyOptions {
  ConfigSource config;            // of which input_parameters alone are used: mean and scale are applied to the data
  int threads = 0;                // 0: all cores
  bool ec_in_two_passes = false;  // as SessionOptions', in `other`
  Progress progress = nullptr;
  Cancelled cancelled = nullptr;
};

struct VerifyReport {
  std::string reference, other;
  std::vector<TensorRow> outputs;
  std::vector<TensorRow> tensors;  // computed in both models under one name, in graph order
  std::vector<std::string> notes;  // whether mean and scale of the config were applied

  // The first of `tensors` that is not the same in both models, else the first such output; null where there is none.
  const TensorRow* first_difference() const;
};

// Runs both models (float or quantized) and compares outputs and common inner tensors.
// Throws Error(kInvalidArgument) if inputs or outputs do not match.
VerifyReport verify_models(const std::filesystem::path& reference, const std::filesystem::path& other,
                           const Samples& data, const VerifyOptions& options = {});

std::string to_json(const VerifyReport& report);

}  // namespace twofold

#endif  // TWOFOLD_VERIFY_H_
