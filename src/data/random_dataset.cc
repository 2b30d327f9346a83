#include "data/random_dataset.h"

#include <optional>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "data/prepare_input.h"
#include "data/raw_files.h"

namespace twofold {

namespace {

class RandomDataset final : public Dataset {
 public:
  RandomDataset(std::vector<InputSpec> inputs, DatasetOptions options)
      : inputs_(std::move(inputs)), options_(std::move(options)) {}

  int64_t size() const override { return kRandomSamples; }

  std::vector<Tensor> sample(int64_t i) const override {
    TWOFOLD_CHECK(i >= 0 && i < size());
    std::vector<Tensor> tensors;
    for (size_t input = 0; input < inputs_.size(); ++input) {
      const auto seed = static_cast<uint32_t>(static_cast<size_t>(i) * inputs_.size() + input);
      tensors.push_back(random_input(inputs_[input], options_, seed));
    }
    return tensors;
  }

 private:
  std::vector<InputSpec> inputs_;
  DatasetOptions options_;
};

}  // namespace

Tensor random_input(const InputSpec& input, const DatasetOptions& options, uint32_t seed) {
  const std::optional<Shape> shape = fixed_shape(input, options);
  if (!shape || input.type.dtype != DType::kFloat32) {
    throw_error(ErrorCode::kInvalidArgument,
                "input '{}' is {} of shape {}, for which random numbers will not do; give data (--data)", input.name,
                to_string(input.type.dtype), to_string(input.type));
  }
  Tensor tensor(DType::kFloat32, *shape);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float& x : tensor.mutable_data<float>()) x = normal(random);
  return tensor;
}

std::unique_ptr<Dataset> make_random_dataset(std::vector<InputSpec> inputs, const DatasetOptions& options) {
  for (const InputSpec& input : inputs) random_input(input, options, 0);
  return std::make_unique<RandomDataset>(std::move(inputs), options);
}

}  // namespace twofold
