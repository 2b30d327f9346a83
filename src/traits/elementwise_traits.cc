// Operators whose results depend on the numbers at one place.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row other_function(std::string_view op) { return Row(op).does(Effect::kElementwise).shape(ShapeRule::kSame); }
constexpr Row function(std::string_view op) { return other_function(op).data(DataInputs::kFirst); }
// Of those that Twofold has in float32 only, which float16 is computed in.
constexpr Row narrow_function(std::string_view op) { return function(op).takes(kTakesFloat32 | kTakesFloat16); }
constexpr Row broadcast(std::string_view op) {
  return Row(op).inputs("nn").does(Effect::kElementwise).shape(ShapeRule::kBroadcast);
}

constexpr OpTraits kRows[] = {
    // Functions of one number: activations, which are quantized, ...
    function(op::kAbs).inputs("n").takes(kTakesAll).quantized().homogeneous().never_negative(),
    narrow_function(op::kCelu).quantized(),
    narrow_function(op::kElu).quantized(),
    narrow_function(op::kGelu).quantized(),
    function(op::kHardSigmoid).quantized().never_negative(),
    narrow_function(op::kHardSwish).quantized(),
    function(op::kLeakyRelu).quantized().homogeneous(),
    narrow_function(op::kMish).quantized(),
    function(op::kNeg).inputs("n").takes(kTakesAll).quantized().homogeneous(),
    narrow_function(op::kSelu).quantized(),
    narrow_function(op::kSigmoid).quantized().never_negative(),
    narrow_function(op::kSoftplus).quantized().never_negative(),
    function(op::kSoftsign).quantized(),
    narrow_function(op::kTanh).quantized(),
    function(op::kThresholdedRelu).quantized(),
    // ... clamps, ...
    function(op::kClip).inputs("nn?n?").does(Effect::kClamps).takes(kTakesAll).quantized(),
    function(op::kRelu).inputs("n").does(Effect::kClamps).takes(kTakesAll).quantized().homogeneous().never_negative(),
    // ... and others.
    narrow_function(op::kAcos).never_negative(),
    narrow_function(op::kAcosh).never_negative(),
    narrow_function(op::kAsin),
    narrow_function(op::kAsinh),
    narrow_function(op::kAtan),
    narrow_function(op::kAtanh),
    function(op::kCeil),
    narrow_function(op::kCos),
    narrow_function(op::kCosh).never_negative(),
    narrow_function(op::kErf).inputs("n"),
    narrow_function(op::kExp).never_negative(),
    function(op::kFloor),
    narrow_function(op::kLog),
    function(op::kReciprocal),
    function(op::kRound),
    narrow_function(op::kShrink).inputs("n"),
    function(op::kSign).inputs("n").takes(kTakesAll),
    narrow_function(op::kSin),
    narrow_function(op::kSinh),
    function(op::kSqrt).never_negative(),
    narrow_function(op::kSwish).since(24),
    narrow_function(op::kTan),
    // Other types.
    other_function(op::kBitwiseNot).inputs("n").takes(kTakesInt8),
    other_function(op::kCast).inputs("a").needs("to").takes(kTakesAll).type(TypeRule::kUnknown).type_attribute("to"),
    other_function(op::kCastLike).inputs("aa").takes(kTakesAll).type(TypeRule::kInput1),
    other_function(op::kIsInf).type(TypeRule::kBool),
    other_function(op::kIsNaN).type(TypeRule::kBool),
    other_function(op::kNot).inputs("b").takes(0).type(TypeRule::kBool),

    // Functions of two numbers, or of several.
    broadcast(op::kAdd).data(DataInputs::kFirstTwo).takes(kTakesAll).quantized(),
    broadcast(op::kMul).data(DataInputs::kFirstTwo).takes(kTakesAll).quantized(),
    broadcast(op::kSub).data(DataInputs::kFirstTwo).takes(kTakesAll).quantized(),
    broadcast(op::kDiv).data(DataInputs::kFirstTwo).takes(kTakesAll),
    broadcast(op::kMax).inputs("n+").data(DataInputs::kAll).takes(kTakesAll).quantized(),
    broadcast(op::kMin).inputs("n+").data(DataInputs::kAll).takes(kTakesAll).quantized(),
    broadcast(op::kMean).inputs("f+").data(DataInputs::kAll).quantized(),
    broadcast(op::kSum).inputs("f+").data(DataInputs::kAll).quantized(),
    broadcast(op::kPRelu).data(DataInputs::kFirst).quantized().homogeneous(),
    broadcast(op::kPow).data(DataInputs::kFirst).takes(kTakesFloat32 | kTakesFloat16),
    broadcast(op::kWhere)
        .inputs("baa")
        .data(DataInputs::kSecondAndThird)
        .takes(kTakesAll)
        .quantized()
        .type(TypeRule::kInput1),
    // Remainders jump, so that rounding their inputs would make other numbers of them.
    broadcast(op::kMod).takes(kTakesAll),
    broadcast(op::kEqual).inputs("aa").takes(kTakesAll).type(TypeRule::kBool),
    broadcast(op::kGreater).takes(kTakesAll).type(TypeRule::kBool),
    broadcast(op::kGreaterOrEqual).takes(kTakesAll).type(TypeRule::kBool),
    broadcast(op::kLess).takes(kTakesAll).type(TypeRule::kBool),
    broadcast(op::kLessOrEqual).takes(kTakesAll).type(TypeRule::kBool),
    broadcast(op::kAnd).inputs("bb").takes(0).type(TypeRule::kBool),
    broadcast(op::kOr).inputs("bb").takes(0).type(TypeRule::kBool),
    broadcast(op::kXor).inputs("bb").takes(0).type(TypeRule::kBool),
    broadcast(op::kBitShift).needs("direction").takes(kTakesInt8),
    broadcast(op::kBitwiseAnd).takes(kTakesInt8),
    broadcast(op::kBitwiseOr).takes(kTakesInt8),
    broadcast(op::kBitwiseXor).takes(kTakesInt8),
};

}  // namespace

std::span<const OpTraits> elementwise_traits() { return kRows; }

}  // namespace twofold
