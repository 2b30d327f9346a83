// Operators that move numbers, or choose some of them.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row mover(std::string_view op) { return Row(op).data(DataInputs::kFirst).takes(kTakesAll).quantized(); }

constexpr OpTraits kRows[] = {
    // All of them.
    mover(op::kConcat).data(DataInputs::kAll).does(Effect::kMoves),
    mover(op::kDepthToSpace).does(Effect::kMoves),
    // ONNX has Dropout for floats only, and other numbers than it was given come out of it in training.
    mover(op::kDropout)
        .does(Effect::kMoves)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloats)
        .stays()
        .other_types(TypeRule::kBool),
    mover(op::kExpand).does(Effect::kMoves),
    mover(op::kFlatten).does(Effect::kMoves),
    mover(op::kIdentity).does(Effect::kMoves).shape(ShapeRule::kSame),
    mover(op::kPad).does(Effect::kMoves).fills(),
    mover(op::kReshape).does(Effect::kMoves),
    mover(op::kSpaceToDepth).does(Effect::kMoves),
    mover(op::kSqueeze).does(Effect::kMoves),
    mover(op::kTile).does(Effect::kMoves),
    mover(op::kTranspose).does(Effect::kMoves),
    mover(op::kUnsqueeze).does(Effect::kMoves),
    // Some of them.
    mover(op::kGather).does(Effect::kTakesPart),
    mover(op::kGatherElements).does(Effect::kTakesPart),
    mover(op::kGatherNd).does(Effect::kTakesPart),
    mover(op::kSlice).does(Effect::kTakesPart),
    mover(op::kSplit).does(Effect::kTakesPart).all_outputs().other_types(TypeRule::kInput0),
    // Not quantized.
    Row(op::kCompress).does(Effect::kTakesPart).takes(kTakesAll),
    Row(op::kMaxUnpool).does(Effect::kMoves).takes(kTakesFloat32).fills(),
    Row(op::kReverseSequence).does(Effect::kMoves).takes(kTakesAll),
    Row(op::kScatterElements).data(DataInputs::kFirstAndThird).takes(kTakesAll),
    Row(op::kScatterNd).data(DataInputs::kFirstAndThird).takes(kTakesAll),
    Row(op::kTopK).does(Effect::kTakesPart).takes(kTakesAll).other_types(TypeRule::kInt64),
    Row(op::kTrilu).does(Effect::kTakesPart).shape(ShapeRule::kSame).takes(kTakesAll).fills(),
    Row(op::kUnique).does(Effect::kTakesPart).takes(kTakesAll).other_types(TypeRule::kInt64),
};

}  // namespace

std::span<const OpTraits> movement_traits() { return kRows; }

}  // namespace twofold
