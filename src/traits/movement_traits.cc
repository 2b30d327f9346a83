// Operators that move numbers, or choose some of them.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row mover(std::string_view op) {
  return Row(op).inputs("a").data(DataInputs::kFirst).takes(kTakesAll).quantized();
}

constexpr OpTraits kRows[] = {
    // All of them.
    mover(op::kConcat).inputs("a+").needs("axis").data(DataInputs::kAll).does(Effect::kMoves),
    mover(op::kDepthToSpace).needs("blocksize").does(Effect::kMoves),
    // ONNX has Dropout for floats only, and other numbers than it was given come out of it in training.
    mover(op::kDropout)
        .inputs("ff?b?")
        .outputs(1, 2)
        .does(Effect::kMoves)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloats)
        .stays()
        .other_types(TypeRule::kBool),
    mover(op::kExpand).inputs("al").does(Effect::kMoves),
    mover(op::kFlatten).does(Effect::kMoves),
    mover(op::kIdentity).does(Effect::kMoves).shape(ShapeRule::kSame),
    mover(op::kPad).inputs("ala?i?").does(Effect::kMoves).fills(),
    mover(op::kReshape).inputs("al").does(Effect::kMoves),
    mover(op::kSpaceToDepth).needs("blocksize").does(Effect::kMoves),
    mover(op::kSqueeze).inputs("al?").does(Effect::kMoves),
    mover(op::kTile).inputs("al").does(Effect::kMoves),
    mover(op::kTranspose).does(Effect::kMoves),
    mover(op::kUnsqueeze).inputs("al").does(Effect::kMoves),
    // Some of them.
    mover(op::kGather).inputs("ai").does(Effect::kTakesPart),
    mover(op::kGatherElements).inputs("ai").does(Effect::kTakesPart),
    mover(op::kGatherNd).inputs("al").does(Effect::kTakesPart),
    mover(op::kSlice).inputs("aiii?i?").does(Effect::kTakesPart),
    mover(op::kSplit)
        .inputs("al?")
        .outputs(1, kManyOutputs)
        .does(Effect::kTakesPart)
        .all_outputs()
        .other_types(TypeRule::kInput0),
    // Not quantized.
    Row(op::kCompress).inputs("ab").does(Effect::kTakesPart).takes(kTakesAll),
    Row(op::kMaxUnpool).inputs("fll?").needs("kernel_shape").does(Effect::kMoves).takes(kTakesFloat32).fills(),
    Row(op::kReverseSequence).inputs("al").does(Effect::kMoves).takes(kTakesAll),
    Row(op::kScatterElements).inputs("aia").data(DataInputs::kFirstAndThird).takes(kTakesAll),
    Row(op::kScatterNd).inputs("ala").data(DataInputs::kFirstAndThird).takes(kTakesAll),
    Row(op::kTopK).inputs("nl").outputs(1, 2).does(Effect::kTakesPart).takes(kTakesAll).other_types(TypeRule::kInt64),
    Row(op::kTrilu).inputs("al?").does(Effect::kTakesPart).shape(ShapeRule::kSame).takes(kTakesAll).fills(),
    Row(op::kUnique).inputs("a").outputs(1, 4).does(Effect::kTakesPart).takes(kTakesAll).other_types(TypeRule::kInt64),
};

}  // namespace

std::span<const OpTraits> movement_traits() { return kRows; }

}  // namespace twofold
