#include "ops/rnn_activation.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "numeric/math.h"

namespace twofold {

float RnnActivation::operator()(float x) const {
  switch (kind) {
    case Kind::kRelu: return x < 0 ? 0.0F : x;
    case Kind::kTanh: return math::tanh(x);
    case Kind::kSigmoid: return math::sigmoid(x);
    case Kind::kAffine: return alpha * x + beta;
    case Kind::kLeakyRelu: return x < 0 ? alpha * x : x;
    case Kind::kThresholdedRelu: return x < alpha ? 0.0F : x;
    case Kind::kScaledTanh: return alpha * math::tanh(beta * x);
    case Kind::kHardSigmoid: return std::clamp(alpha * x + beta, 0.0F, 1.0F);
    case Kind::kElu: return x < 0 ? alpha * math::expm1(x) : x;
    case Kind::kSoftsign: return x / (1.0F + std::fabs(x));
    case Kind::kSoftplus: return math::softplus(x);
  }
  return x;
}

namespace {

// An activation's name, how many parameters it takes from the attributes, and their defaults.
struct ActivationEntry {
  const char* name;
  RnnActivation::Kind kind;
  int parameters;
  float alpha, beta;
};

constexpr ActivationEntry kActivations[] = {
    {"relu", RnnActivation::Kind::kRelu, 0, 0, 0},
    {"tanh", RnnActivation::Kind::kTanh, 0, 0, 0},
    {"sigmoid", RnnActivation::Kind::kSigmoid, 0, 0, 0},
    {"affine", RnnActivation::Kind::kAffine, 2, 1, 0},
    {"leakyrelu", RnnActivation::Kind::kLeakyRelu, 1, 0.01F, 0},
    {"thresholdedrelu", RnnActivation::Kind::kThresholdedRelu, 1, 1, 0},
    {"scaledtanh", RnnActivation::Kind::kScaledTanh, 2, 1, 1},
    {"hardsigmoid", RnnActivation::Kind::kHardSigmoid, 2, 0.2F, 0.5F},
    {"elu", RnnActivation::Kind::kElu, 1, 1, 0},
    {"softsign", RnnActivation::Kind::kSoftsign, 0, 0, 0},
    {"softplus", RnnActivation::Kind::kSoftplus, 0, 0, 0},
};

const ActivationEntry& find_activation(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const ActivationEntry& entry : kActivations) {
    if (name == entry.name) return entry;
  }
  throw_error(ErrorCode::kInvalidModel, "activation '{}' does not exist", name);
}

}  // namespace

std::vector<RnnActivation> read_rnn_activations(const Attributes& attributes, const std::vector<std::string>& defaults,
                                                size_t directions) {
  std::vector<std::string> names = attributes.get_strings("activations", {});
  for (size_t d = 0; d < directions && !attributes.has("activations"); ++d) {
    names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() != defaults.size() * directions) {
    throw_error(ErrorCode::kInvalidModel, "{} activations are given, but {} are needed", names.size(),
                defaults.size() * directions);
  }
  const std::vector<float> alphas = attributes.get_floats("activation_alpha", {});
  const std::vector<float> betas = attributes.get_floats("activation_beta", {});
  size_t alpha = 0, beta = 0;
  std::vector<RnnActivation> result;
  for (const std::string& name : names) {
    const ActivationEntry& entry = find_activation(name);
    RnnActivation activation{entry.kind, entry.alpha, entry.beta};
    if (entry.parameters >= 1 && alpha < alphas.size()) activation.alpha = alphas[alpha++];
    if (entry.parameters >= 2 && beta < betas.size()) activation.beta = betas[beta++];
    result.push_back(activation);
  }
  return result;
}

}  // namespace twofold
