// Sums of products, sampling, shapes, quantization, control flow, and operators known by name only.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row product(std::string_view op) {
  return Row(op).data(DataInputs::kFirstTwo).does(Effect::kProducts).takes(kTakesFloat32).quantized();
}

// W·X can be a product of integers, and R be quantized: where a target says so (targets/*.yaml).
constexpr Row recurrent(std::string_view op) {
  return Row(op)
      .data(DataInputs::kFirstThree)
      .does(Effect::kOtherProducts)
      .takes(kTakesFloat32 | kTakesFloat16)
      .other_types(TypeRule::kInput0);
}

constexpr OpTraits kRows[] = {
    // Sums of products.
    product(op::kConv).ec(0b10),
    product(op::kConvTranspose).ec(0b10),
    product(op::kGemm).takes(kTakesFloat32 | kTakesFloat64).ec(0b11),
    product(op::kMatMul).takes(kTakesFloat32 | kTakesFloat64).ec(0b11),
    // Of integers that come with zero points of their own: nothing is left to quantize.
    Row(op::kConvInteger).does(Effect::kOtherProducts).takes(kTakesInt8).type(TypeRule::kInt32),
    Row(op::kMatMulInteger).does(Effect::kOtherProducts).takes(kTakesInt8).type(TypeRule::kInt32),
    Row(op::kEinsum).data(DataInputs::kAll).does(Effect::kOtherProducts),
    recurrent(op::kGru),
    recurrent(op::kLstm),
    recurrent(op::kRnn),
    // Sampling.
    Row(op::kGridSample).data(DataInputs::kFirst).quantized().ec(0b1),
    Row(op::kResize).data(DataInputs::kFirst).takes(kTakesAll).quantized().ec(0b1),
    Row(op::kAffineGrid),
    Row(op::kRoiAlign).takes(kTakesFloat32 | kTakesFloat16),
    // Shapes, indices and constants.
    Row(op::kConstant).takes(0).type(TypeRule::kUnknown).type_attribute("value"),
    Row(op::kConstantOfShape).takes(0).type(TypeRule::kFloat32).type_attribute("value"),
    Row(op::kEyeLike).does(Effect::kReadsShape).takes(kTakesAll).type_attribute("dtype"),
    Row(op::kNonMaxSuppression).takes(kTakesFloat32 | kTakesFloat16).type(TypeRule::kInt64),
    Row(op::kNonZero).takes(kTakesAll).type(TypeRule::kInt64),
    Row(op::kOneHot).takes(kTakesAll).type(TypeRule::kInput2),
    Row(op::kRange),
    Row(op::kShape).does(Effect::kReadsShape).takes(kTakesAll).type(TypeRule::kInt64),
    Row(op::kSize).does(Effect::kReadsShape).takes(kTakesAll).type(TypeRule::kInt64),
    // Pairs of these say where a model is quantized, also in front of and behind constants.
    Row(op::kDequantizeLinear)
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesInt8)
        .stays()
        .type(TypeRule::kInput1)
        .type_attribute("output_dtype"),
    Row(op::kDynamicQuantizeLinear)
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloat32)
        .stays()
        .type(TypeRule::kUInt8),
    Row(op::kQuantizeLinear)
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloat32)
        .stays()
        .type(TypeRule::kInput2)
        .type_attribute("output_dtype"),
    // Control flow: types are those that the bodies give.
    Row(op::kIf).takes(0).all_outputs().type(TypeRule::kUnknown),
    Row(op::kLoop).takes(0).all_outputs().type(TypeRule::kUnknown),
    Row(op::kScan).takes(0).all_outputs().type(TypeRule::kUnknown),

    // Known by name only. Random numbers are new ones in each run.
    Row(op::kAttention).since(23).by_name_only(),
    Row(op::kBitCast).type(TypeRule::kUnknown).type_attribute("to").since(26).by_name_only(),
    Row(op::kCausalConvWithState).since(27).by_name_only(),
    Row(op::kCumProd).since(26).by_name_only(),
    Row(op::kLinearAttention).since(27).by_name_only(),
    Row(op::kRotaryEmbedding).since(23).by_name_only(),
    Row(op::kSwiGlu).since(28).by_name_only(),
    Row(op::kTensorScatter).since(24).by_name_only(),
    Row(op::kBernoulli).stays().type_attribute("dtype").by_name_only(),
    Row(op::kMultinomial).stays().type(TypeRule::kInt32).type_attribute("dtype").by_name_only(),
    Row(op::kQLinearConv).type(TypeRule::kUnknown).by_name_only(),
    Row(op::kQLinearMatMul).type(TypeRule::kUnknown).by_name_only(),
    Row(op::kRandomNormal).stays().type(TypeRule::kFloat32).type_attribute("dtype").by_name_only(),
    Row(op::kRandomUniform).stays().type(TypeRule::kFloat32).type_attribute("dtype").by_name_only(),
    Row(op::kRandomNormalLike).does(Effect::kReadsShape).stays().type_attribute("dtype").by_name_only(),
    Row(op::kRandomUniformLike).does(Effect::kReadsShape).stays().type_attribute("dtype").by_name_only(),
    Row(op::kSequenceAt).type(TypeRule::kUnknown).by_name_only(),
    Row(op::kStringNormalizer).type(TypeRule::kUnknown).by_name_only(),
    Row(op::kTfIdfVectorizer).type(TypeRule::kFloat32).by_name_only(),
};

}  // namespace

std::span<const OpTraits> other_traits() { return kRows; }

}  // namespace twofold
