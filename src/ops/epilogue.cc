#include "ops/epilogue.h"

#include "base/error.h"

namespace twofold {

void set_epilogue(Attributes& attributes, const Epilogue& epilogue) {
  std::vector<int64_t> kinds;
  std::vector<float> alphas, betas;
  for (const EpilogueStep& step : epilogue) {
    kinds.push_back(static_cast<int64_t>(step.kind));
    alphas.push_back(step.alpha);
    betas.push_back(step.beta);
  }
  attributes.set("epilogue_kinds", std::move(kinds));
  attributes.set("epilogue_alphas", std::move(alphas));
  attributes.set("epilogue_betas", std::move(betas));
}

Epilogue get_epilogue(const Attributes& attributes) {
  const std::vector<int64_t> kinds = attributes.get_ints("epilogue_kinds", {});
  const std::vector<float> alphas = attributes.get_floats("epilogue_alphas", {});
  const std::vector<float> betas = attributes.get_floats("epilogue_betas", {});
  if (kinds.size() != alphas.size() || kinds.size() != betas.size()) {
    throw_error(ErrorCode::kInvalidModel, "the attributes epilogue_kinds, _alphas and _betas differ in length");
  }
  Epilogue epilogue;
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] < 0 || kinds[i] > static_cast<int64_t>(EpilogueStep::Kind::kGelu)) {
      throw_error(ErrorCode::kInvalidModel, "epilogue_kinds has the unknown value {}", kinds[i]);
    }
    epilogue.push_back({static_cast<EpilogueStep::Kind>(kinds[i]), alphas[i], betas[i]});
  }
  return epilogue;
}

}  // namespace twofold
