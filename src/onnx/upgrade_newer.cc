// Attributes that opsets after kOpset gave an operator. A graph means opset kOpset, so they must have the value that
// changes nothing; then they go.
#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

void refuse(const char* attribute, const std::string& value) {
  throw_error(ErrorCode::kUnsupported, "attribute {} = {} is newer than opset {} and not supported", attribute, value,
              kOpset);
}

void space_to_depth(Upgrade& u) {
  const std::string mode = u.attributes().get_string("mode", "DCR");
  if (mode != "DCR") refuse("mode", mode);
  u.attributes().erase("mode");
}

void dequantize_linear(Upgrade& u) {
  const int64_t dtype = u.attributes().get_int("output_dtype", 0);
  if (dtype != 0 && dtype != static_cast<int64_t>(DType::kFloat32)) refuse("output_dtype", std::to_string(dtype));
  u.attributes().erase("output_dtype");
}

void quantize_linear(Upgrade& u) {
  const int64_t precision = u.attributes().get_int("precision", 0);
  if (precision != 0 && precision != static_cast<int64_t>(DType::kFloat32)) {
    refuse("precision", std::to_string(precision));
  }
  u.attributes().erase("precision");
}

// How a cast to float8e8m0 rounds; that type is not supported at all.
void cast(Upgrade& u) { u.attributes().erase("round_mode"); }

// The type in which float16 sequences are computed.
void range(Upgrade& u) { u.attributes().erase("stash_type"); }

constexpr UpgradeRule kRules[] = {
    {"SpaceToDepth", kAlways, space_to_depth},
    {"DequantizeLinear", kAlways, dequantize_linear},
    {"QuantizeLinear", kAlways, quantize_linear},
    {"Cast", kAlways, cast},
    {"CastLike", kAlways, cast},
    {"Range", kAlways, range},
};

}  // namespace

std::span<const UpgradeRule> newer_rules() { return kRules; }

}  // namespace twofold
