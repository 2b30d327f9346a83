// Attributes that became inputs, and plain renames.
#include <algorithm>
#include <cstddef>
#include <span>

#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

void axes_to_input(Upgrade& u) { u.ints_to_input("axes", 1); }

// Before 13 without sizes: equal parts, as many as there are outputs.
void split_to_input(Upgrade& u) { u.ints_to_input("split", 1); }

void number_of_parts(Upgrade& u) {
  if (u.input(1) != kNone) return;
  u.attributes().set("num_outputs", static_cast<int64_t>(u.node().outputs.size()));
}

ValueId bound(Upgrade& u, const char* attribute) {
  if (!u.attributes().has(attribute)) return kNone;
  const float value = u.attributes().get_float(attribute, 0);
  u.attributes().erase(attribute);
  return u.scalar(attribute, value, u.input(0));
}

void clip(Upgrade& u) {
  const ValueId low = bound(u, "min"), high = bound(u, "max");
  if (low != kNone || high != kNone) u.set_input(1, low);
  if (high != kNone) u.set_input(2, high);
}

void pad(Upgrade& u) {
  u.ints_to_input("pads", 1);
  const ValueId value = bound(u, "value");
  if (value != kNone) u.set_input(2, value);
}

// A constant that is not used, or is what ONNX takes anyway, says nothing: without it the Pad only moves numbers.
void unused_pad_value(Upgrade& u) {
  if (u.input(2) == kNone) return;
  const Tensor* value = u.graph().constant(u.input(2));
  const bool is_zero =
      value != nullptr && value->size() == 1 &&
      std::ranges::all_of(std::span(value->bytes(), value->byte_size()), [](std::byte b) { return b == std::byte{0}; });
  if (is_zero || u.attributes().get_string("mode", "constant") != "constant") u.set_input(2, kNone);
}

void slice(Upgrade& u) {
  u.ints_to_input("starts", 1);
  u.ints_to_input("ends", 2);
  u.ints_to_input("axes", 3);
}

void top_k(Upgrade& u) {
  const int64_t k = u.attributes().get_int("k");
  u.attributes().erase("k");
  u.set_input(1, u.ints("k", {k}));
}

void dropout(Upgrade& u) {
  if (!u.attributes().has("ratio")) return;
  const float ratio = u.attributes().get_float("ratio", 0.5F);
  u.attributes().erase("ratio");
  u.set_input(1, u.constant("ratio", Tensor::scalar(ratio)));
}

void dft(Upgrade& u) {
  const int64_t axis = u.attributes().get_int("axis", 1);
  u.attributes().erase("axis");
  u.set_input(2, u.constant("axis", Tensor::scalar(axis)));
}

void scatter(Upgrade& u) { u.graph().set_op_type(u.id(), "ScatterElements"); }

// Scan 8 has a batch dimension and lengths of sequences; nothing writes it any more.
void scan(Upgrade&) {
  throw_error(ErrorCode::kUnsupported, "Scan of opset 8 is not supported; convert the model to opset 9 or later");
}

constexpr UpgradeRule kRules[] = {
    {"Squeeze", 13, axes_to_input, "a"},
    {"Unsqueeze", 13, axes_to_input, "a"},
    {"ReduceSum", 13, axes_to_input, "a"},
    {"ReduceL1", 18, axes_to_input, "a"},
    {"ReduceL2", 18, axes_to_input, "a"},
    {"ReduceLogSum", 18, axes_to_input, "a"},
    {"ReduceLogSumExp", 18, axes_to_input, "a"},
    {"ReduceMax", 18, axes_to_input, "a"},
    {"ReduceMean", 18, axes_to_input, "a"},
    {"ReduceMin", 18, axes_to_input, "a"},
    {"ReduceProd", 18, axes_to_input, "a"},
    {"ReduceSumSquare", 18, axes_to_input, "a"},
    {"Split", 13, split_to_input, "a", "", kManyOutputs},
    {"Split", 18, number_of_parts},
    {"Clip", 11, clip, "n"},
    {"Pad", 11, pad, "a"},
    {"Pad", kAlways, unused_pad_value},
    {"Slice", 10, slice, "a"},
    {"TopK", 10, top_k, "n", "", 2},
    {"Dropout", 12, dropout, "f", "", 2},
    {"DFT", 20, dft},
    {"Scatter", kAlways, scatter, "aia"},
    {"Scan", 9, scan},
};

}  // namespace

std::span<const UpgradeRule> attribute_rules() { return kRules; }

}  // namespace twofold
