// Operators that treat rows, channels or windows, each by itself: pools, normalizations, reductions.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row pool(std::string_view op) {
  return Row(op).data(DataInputs::kFirst).does(Effect::kByRow).slices(Slices::kBatchAndChannels).quantized();
}
constexpr Row normalization(std::string_view op) {
  return Row(op).data(DataInputs::kFirst).does(Effect::kByRow).shape(ShapeRule::kSame);
}
constexpr Row reduction(std::string_view op) {
  return Row(op).inputs("al?").data(DataInputs::kFirst).does(Effect::kByRow).slices(Slices::kBeforeReduced);
}

constexpr OpTraits kRows[] = {
    // Pools.
    pool(op::kAveragePool).needs("kernel_shape").takes(kTakesFloat32).homogeneous(),
    pool(op::kGlobalAveragePool).takes(kTakesFloat32).homogeneous(),
    pool(op::kGlobalLpPool).takes(kTakesFloat32),
    pool(op::kGlobalMaxPool).does(Effect::kPicksLargest).takes(kTakesFloat32 | kTakesFloat64).homogeneous(),
    pool(op::kLpPool).needs("kernel_shape").takes(kTakesFloat32),
    pool(op::kMaxPool)
        .inputs("n")
        .outputs(1, 2)
        .needs("kernel_shape")
        .does(Effect::kPicksLargest)
        .takes(kTakesFloat32 | kTakesFloat64 | kTakesInt8)
        .homogeneous()
        .other_types(TypeRule::kInt64),
    // Normalizations.
    normalization(op::kBatchNormalization)
        .inputs("fffff")
        .outputs(1, 5)
        .takes(kTakesFloat32 | kTakesFloat16)
        .quantized()
        .other_types(TypeRule::kInput0),
    normalization(op::kGroupNormalization).inputs("fff").needs("num_groups").takes(kTakesFloat32 | kTakesFloat16),
    Row(op::kHardmax)
        .takes(kTakesFloat32 | kTakesFloat16)
        .does(Effect::kByRow)
        .shape(ShapeRule::kSame)
        .slices(Slices::kBeforeAxis)
        .never_negative(),
    normalization(op::kInstanceNormalization).inputs("fff").takes(kTakesFloat32 | kTakesFloat16),
    normalization(op::kLrn).needs("size").takes(kTakesFloat32 | kTakesFloat16),
    normalization(op::kLayerNormalization)
        .inputs("fff?")
        .outputs(1, 3)
        .takes(kTakesFloat32 | kTakesFloat16)
        .slices(Slices::kBeforeAxis)
        .other_types(TypeRule::kFloat32),
    normalization(op::kLogSoftmax).takes(kTakesFloat32 | kTakesFloat16).slices(Slices::kBeforeAxis),
    normalization(op::kLpNormalization).takes(kTakesFloat32 | kTakesFloat16),
    normalization(op::kMeanVarianceNormalization),
    normalization(op::kRmsNormalization)
        .inputs("ff")
        .takes(kTakesFloat32 | kTakesFloat16)
        .slices(Slices::kBeforeAxis)
        .since(23),
    normalization(op::kSoftmax).takes(kTakesFloat32 | kTakesFloat16).slices(Slices::kBeforeAxis).never_negative(),
    // Reductions.
    reduction(op::kReduceL1).never_negative().homogeneous(),
    reduction(op::kReduceL2).never_negative().homogeneous(),
    reduction(op::kReduceLogSum),
    reduction(op::kReduceLogSumExp),
    reduction(op::kReduceMax).takes(kTakesAll).homogeneous(),
    reduction(op::kReduceMean).homogeneous(),
    reduction(op::kReduceMin).takes(kTakesAll).homogeneous(),
    reduction(op::kReduceProd),
    reduction(op::kReduceSum).homogeneous(),
    reduction(op::kReduceSumSquare).never_negative(),
    normalization(op::kCumSum).inputs("ni").homogeneous(),
    Row(op::kArgMax).inputs("n").does(Effect::kByRow).takes(kTakesAll).type(TypeRule::kInt64),
    Row(op::kArgMin).inputs("n").does(Effect::kByRow).takes(kTakesAll).type(TypeRule::kInt64),
};

}  // namespace

std::span<const OpTraits> row_traits() { return kRows; }

}  // namespace twofold
