#include "traits/attribute_types.h"

#include <span>
#include <unordered_map>

#include "base/error.h"

namespace twofold {

namespace {

enum class Kind : uint8_t { kInt, kFloat, kString, kInts, kDims, kFloats, kStrings, kGraph };

// Tensors have 64 dimensions at most (onnx/tensor_reader.h); pads are two numbers of each.
constexpr size_t kMostDims = 128;

constexpr std::string_view kInts[] = {"align_corners",
                                      "allowzero",
                                      "antialias",
                                      "axis",
                                      "batch_axis",
                                      "batch_dims",
                                      "block_size",
                                      "blocksize",
                                      "ceil_mode",
                                      "center_point_box",
                                      "count_include_pad",
                                      "detect_negative",
                                      "detect_positive",
                                      "dtype",
                                      "end",
                                      "exclude_outside",
                                      "exclusive",
                                      "fmod",
                                      "group",
                                      "hidden_size",
                                      "input_forget",
                                      "k",
                                      "keepdims",
                                      "largest",
                                      "layout",
                                      "linear_before_reset",
                                      "noop_with_empty_axes",
                                      "num_groups",
                                      "num_outputs",
                                      "num_scan_inputs",
                                      "output_dtype",
                                      "output_height",
                                      "output_width",
                                      "precision",
                                      "reverse",
                                      "sampling_ratio",
                                      "saturate",
                                      "select_last_index",
                                      "size",
                                      "sorted",
                                      "spatial",
                                      "start",
                                      "stash_type",
                                      "storage_order",
                                      "time_axis",
                                      "training_mode",
                                      "transA",
                                      "transB",
                                      "upper"};
constexpr std::string_view kFloats[] = {
    "alpha", "beta",  "bias", "clip", "cubic_coeff_a", "epsilon", "extrapolation_value",
    "gamma", "lambd", "max",  "min",  "momentum",      "ratio",   "spatial_scale"};
constexpr std::string_view kStrings[] = {"approximate", "auto_pad",     "coordinate_transformation_mode",
                                         "direction",   "equation",     "keep_aspect_ratio_policy",
                                         "mode",        "nearest_mode", "padding_mode",
                                         "reduction",   "round_mode"};
constexpr std::string_view kIntLists[] = {"split", "shape"};
// A number per dimension of a tensor, or two.
constexpr std::string_view kDimLists[] = {"axes",         "dilations", "ends", "kernel_shape", "output_padding",
                                          "output_shape", "pads",      "perm", "starts",       "strides"};
constexpr std::string_view kFloatLists[] = {"activation_alpha", "activation_beta", "scales"};
constexpr std::string_view kStringLists[] = {"activations"};
constexpr std::string_view kGraphs[] = {"body", "else_branch", "then_branch"};

const std::unordered_map<std::string_view, Kind>& kinds() {
  static const auto table = [] {
    std::unordered_map<std::string_view, Kind> built;
    const auto put = [&built](std::span<const std::string_view> names, Kind kind) {
      for (std::string_view name : names) built.emplace(name, kind);
    };
    put(kInts, Kind::kInt);
    put(kFloats, Kind::kFloat);
    put(kStrings, Kind::kString);
    put(kIntLists, Kind::kInts);
    put(kDimLists, Kind::kDims);
    put(kFloatLists, Kind::kFloats);
    put(kStringLists, Kind::kStrings);
    put(kGraphs, Kind::kGraph);
    return built;
  }();
  return table;
}

bool is_of(Kind kind, const Attribute& value) {
  switch (kind) {
    case Kind::kInt: return std::holds_alternative<int64_t>(value);
    case Kind::kFloat: return std::holds_alternative<float>(value);
    case Kind::kString: return std::holds_alternative<std::string>(value);
    case Kind::kInts:
    case Kind::kDims: return std::holds_alternative<std::vector<int64_t>>(value);
    case Kind::kFloats: return std::holds_alternative<std::vector<float>>(value);
    case Kind::kStrings: return std::holds_alternative<std::vector<std::string>>(value);
    case Kind::kGraph: return std::holds_alternative<std::shared_ptr<const Graph>>(value);
  }
  return false;
}

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::kInt: return "an integer";
    case Kind::kFloat: return "a float";
    case Kind::kString: return "a string";
    case Kind::kInts:
    case Kind::kDims: return "a list of integers";
    case Kind::kFloats: return "a list of floats";
    case Kind::kStrings: return "a list of strings";
    case Kind::kGraph: return "a graph";
  }
  return "";
}

}  // namespace

void check_attributes(const Node& node, const OpTraits& traits) {
  for (const auto& [name, value] : node.attributes) {
    const auto it = kinds().find(name);
    if (it == kinds().end()) continue;
    if (!is_of(it->second, value)) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' ({}): attribute '{}' is not {}", node.name, node.op_type, name,
                  word(it->second));
    }
    const size_t count = it->second == Kind::kDims ? std::get<std::vector<int64_t>>(value).size() : 0;
    if (count > kMostDims) {
      throw_error(ErrorCode::kInvalidModel,
                  "node '{}' ({}): attribute '{}' has {} numbers, more than tensors have dimensions", node.name,
                  node.op_type, name, count);
    }
  }
  for (std::string_view name : traits.required_attributes) {
    if (!name.empty() && !node.attributes.has(name)) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' ({}): attribute '{}' is absent, but the operator needs it",
                  node.name, node.op_type, name);
    }
  }
}

}  // namespace twofold
