// Quick jobs on the network of examples/digits: few samples, and configs that leave nothing to be searched.
#ifndef TWOFOLD_TESTS_API_QUANTIZED_DIGITS_H_
#define TWOFOLD_TESTS_API_QUANTIZED_DIGITS_H_

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/digits.h"
#include "data/temporary_folder.h"
#include "twofold/quantize.h"

namespace twofold {

inline const std::filesystem::path kDigitsModel = kDigits / "digits.onnx";

// A config with which ranges and weights follow from statistics alone.
inline const char* const kNothingToSearch =
    "{model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}}";

// An image each, of the seeds first, first + 1, ...
inline Samples image_samples(uint32_t first, uint32_t count) {
  std::vector<std::map<std::string, Tensor>> samples;
  for (uint32_t i = 0; i < count; ++i) samples.push_back({{"image", images(1, first + i)}});
  return {.path = {}, .source = samples_in_memory(std::move(samples))};
}

// Operands of every precision, one with a bias correction, one whose zero point is not 0.
inline QuantizeOptions mixed_options() {
  QuantizeOptions options;
  options.config.text = R"(
model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}, equalization: false}
op_config: {Gemm: {qtype: dual-int16}}
node_config:
  /edges/Conv: {qtype: int16-ec, weight: {bias_correction: {num_sample: 1}}}
  /attention/MatMul: {input0: ec, input1: ec}
  /wide/wide.0/Conv: {activation: {asymmetric: true}}
)";
  options.threads = 1;
  return options;
}

inline constexpr uint32_t kNumSamples = 3;

// The digits quantized so, in files that live as long as the object.
struct QuantizedDigits {
  explicit QuantizedDigits(QuantizeOptions options = mixed_options()) {
    options.output = model;
    options.plan_path = plan;
    report = quantize(kDigitsModel, image_samples(0, kNumSamples), options);
  }

  TemporaryFolder folder;
  std::filesystem::path model = folder.path() / "q.onnx", plan = folder.path() / "plan.json";
  QuantizeReport report;
};

// Made once, for tests that only read.
inline const QuantizedDigits& quantized_digits() {
  static const QuantizedDigits made;
  return made;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_API_QUANTIZED_DIGITS_H_
