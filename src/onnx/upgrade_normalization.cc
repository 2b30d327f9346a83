// Normalizations: older forms of ONNX's, and those that ONNX Runtime had before ONNX did.
#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

bool is_used(const Upgrade& u, int output) {
  const ValueId value = u.node().output(output);
  return value != kNone && (!u.graph().consumers(value).empty() || u.graph().is_output(value));
}

void batch_normalization(Upgrade& u) {
  if (u.attributes().get_int("spatial", 1) == 0) {
    throw_error(ErrorCode::kUnsupported, "spatial = 0 (statistics per pixel) is not supported");
  }
  u.attributes().erase("spatial");
  for (int i = 1; i < static_cast<int>(u.node().outputs.size()); ++i) {
    if (is_used(u, i)) {
      throw_error(ErrorCode::kUnsupported, "the model is in training mode (output {} is used); export it for inference",
                  i);
    }
    u.graph().set_output(u.id(), i, kNone);
  }
}

// Scale and bias were per group: [G] -> [G,1] -> [G,C/G] -> [C].
void group_normalization(Upgrade& u) {
  const int64_t groups = u.attributes().get_int("num_groups");
  if (groups <= 0) throw_error(ErrorCode::kInvalidModel, "num_groups is {}", groups);
  Attributes channel_axis;
  channel_axis.set("start", int64_t{1});
  channel_axis.set("end", int64_t{2});
  const ValueId channels = u.emit("channels", "Shape", {u.input(0)}, std::move(channel_axis));
  const ValueId each = u.emit("channels_per_group", "Div", {channels, u.ints("groups", {groups})});
  Attributes first;
  first.set("axis", int64_t{0});
  const ValueId shape = u.emit("group_shape", "Concat", {u.ints("group_axis", {groups}), each}, std::move(first));
  for (const auto& [input, word] : {std::pair(1, "scale"), std::pair(2, "bias")}) {
    const std::string name(word);
    const ValueId column =
        u.emit(name + "_column", "Reshape", {u.input(input), u.ints(name + "_column_shape", {-1, 1})});
    const ValueId grid = u.emit(name + "_grid", "Expand", {column, shape});
    u.set_input(input, u.emit(name + "_channels", "Reshape", {grid, u.ints(name + "_channels_shape", {-1})}));
  }
}

void simplified_layer_normalization(Upgrade& u) {
  if (is_used(u, 1)) throw_error(ErrorCode::kUnsupported, "output 1 (the inverse standard deviation) is not supported");
  if (u.node().outputs.size() > 1) u.graph().set_output(u.id(), 1, kNone);
  u.graph().set_op_type(u.id(), "RMSNormalization");
}

// output = norm(input + skip + bias); output 3 is the sum.
void skip_normalization(Upgrade& u, std::string_view op_type, int bias_input) {
  for (int i : {1, 2}) {
    if (is_used(u, i)) throw_error(ErrorCode::kUnsupported, "output {} is for training and not supported", i);
  }
  ValueId sum = u.emit("sum", "Add", {u.input(0), u.input(1)});
  if (u.input(bias_input) != kNone) sum = u.emit("sum_with_bias", "Add", {sum, u.input(bias_input)});
  std::vector<ValueId> inputs = {sum, u.input(2)};
  if (bias_input == 4 && u.input(3) != kNone) inputs.push_back(u.input(3));
  const ValueId sum_output = u.node().output(3);
  for (int i = 1; i < static_cast<int>(u.node().outputs.size()); ++i) u.graph().set_output(u.id(), i, kNone);
  if (sum_output != kNone) {
    u.graph().set_output(u.graph().producer(sum), 0, sum_output);
    inputs[0] = sum_output;
  }
  if (!u.attributes().has("epsilon")) u.attributes().set("epsilon", 1e-12F);
  u.become(op_type, std::move(inputs));
}

void skip_layer_normalization(Upgrade& u) { skip_normalization(u, "LayerNormalization", 4); }
void skip_simplified_layer_normalization(Upgrade& u) { skip_normalization(u, "RMSNormalization", 3); }

constexpr UpgradeRule kRules[] = {
    {"BatchNormalization", 14, batch_normalization},
    {"GroupNormalization", 21, group_normalization},
    {"SimplifiedLayerNormalization", kAlways, simplified_layer_normalization, "ff", "", 2},
    {"SimplifiedLayerNormalization", kAlways, simplified_layer_normalization, "ff", kMicrosoft, 2},
    {"LayerNormalization", kAlways, [](Upgrade& u) { u.graph().set_op_type(u.id(), "LayerNormalization"); }, "fff?",
     kMicrosoft, 3},
    {"SkipLayerNormalization", kAlways, skip_layer_normalization, "ffff?f?", kMicrosoft, 4},
    {"SkipSimplifiedLayerNormalization", kAlways, skip_simplified_layer_normalization, "ffff?", kMicrosoft, 4},
};

}  // namespace

std::span<const UpgradeRule> normalization_rules() { return kRules; }

}  // namespace twofold
