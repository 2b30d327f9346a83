// Sums of products, sampling, shapes, quantization, control flow, and operators known by name only.
#include "traits/op_names.h"
#include "traits/row.h"

namespace twofold {

namespace {

constexpr Row product(std::string_view op) {
  return Row(op).inputs("fff?").data(DataInputs::kFirstTwo).does(Effect::kProducts).takes(kTakesFloat32).quantized();
}

// W·X can be a product of integers, and R be quantized: where a target says so (targets/*.yaml).
constexpr Row recurrent(std::string_view op) {
  return Row(op)
      .inputs("ffff?i?f?")
      .outputs(0, 2)
      .data(DataInputs::kFirstThree)
      .does(Effect::kOtherProducts)
      .takes(kTakesFloat32 | kTakesFloat16)
      .other_types(TypeRule::kInput0);
}

constexpr OpTraits kRows[] = {
    // Sums of products.
    product(op::kConv).ec(0b10),
    product(op::kConvTranspose).ec(0b10),
    product(op::kGemm).inputs("nnn?").takes(kTakesFloat32 | kTakesFloat64).ec(0b11),
    product(op::kMatMul).inputs("nn").takes(kTakesFloat32 | kTakesFloat64).ec(0b11),
    // Of integers that come with zero points of their own: nothing is left to quantize.
    Row(op::kConvInteger).inputs("qqq?q?").does(Effect::kOtherProducts).takes(kTakesInt8).type(TypeRule::kInt32),
    Row(op::kMatMulInteger).inputs("qqq?q?").does(Effect::kOtherProducts).takes(kTakesInt8).type(TypeRule::kInt32),
    Row(op::kEinsum).inputs("n+").needs("equation").data(DataInputs::kAll).does(Effect::kOtherProducts),
    recurrent(op::kGru),
    recurrent(op::kLstm).inputs("ffff?i?f?f?f?").outputs(0, 3),
    recurrent(op::kRnn),
    // Sampling.
    Row(op::kGridSample).inputs("af").data(DataInputs::kFirst).quantized().ec(0b1),
    Row(op::kResize).inputs("af?f?l?").data(DataInputs::kFirst).takes(kTakesAll).quantized().ec(0b1),
    Row(op::kAffineGrid).inputs("fl"),
    Row(op::kRoiAlign).inputs("ffl").takes(kTakesFloat32 | kTakesFloat16),
    // Shapes, indices and constants.
    Row(op::kConstant).inputs("").takes(0).type(TypeRule::kUnknown).type_attribute("value"),
    Row(op::kConstantOfShape).inputs("l").takes(0).type(TypeRule::kFloat32).type_attribute("value"),
    Row(op::kEyeLike).inputs("a").does(Effect::kReadsShape).takes(kTakesAll).type_attribute("dtype"),
    Row(op::kNonMaxSuppression).inputs("ffl?f?f?").takes(kTakesFloat32 | kTakesFloat16).type(TypeRule::kInt64),
    Row(op::kNonZero).inputs("a").takes(kTakesAll).type(TypeRule::kInt64),
    Row(op::kOneHot).inputs("nna").takes(kTakesAll).type(TypeRule::kInput2),
    Row(op::kRange).inputs("nnn"),
    Row(op::kShape).inputs("a").does(Effect::kReadsShape).takes(kTakesAll).type(TypeRule::kInt64),
    Row(op::kSize).inputs("a").does(Effect::kReadsShape).takes(kTakesAll).type(TypeRule::kInt64),
    // Pairs of these say where a model is quantized, also in front of and behind constants.
    Row(op::kDequantizeLinear)
        .inputs("qfq?")
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesInt8)
        .stays()
        .type(TypeRule::kInput1)
        .type_attribute("output_dtype"),
    Row(op::kDynamicQuantizeLinear)
        .outputs(3, 3)
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloat32)
        .stays()
        .type(TypeRule::kUInt8),
    Row(op::kQuantizeLinear)
        .inputs("nnq?")
        .does(Effect::kConverts)
        .shape(ShapeRule::kSame)
        .takes(kTakesFloat32)
        .stays()
        .type(TypeRule::kInput2)
        .type_attribute("output_dtype"),
    // Control flow: types are those that the bodies give.
    Row(op::kIf)
        .inputs("b")
        .outputs(1, kManyOutputs)
        .needs("then_branch", "else_branch")
        .takes(0)
        .all_outputs()
        .type(TypeRule::kUnknown),
    Row(op::kLoop)
        .inputs("l?b?a*")
        .outputs(1, kManyOutputs)
        .needs("body")
        .takes(0)
        .all_outputs()
        .type(TypeRule::kUnknown),
    Row(op::kScan)
        .inputs("a+")
        .outputs(1, kManyOutputs)
        .needs("body", "num_scan_inputs")
        .takes(0)
        .all_outputs()
        .type(TypeRule::kUnknown),

    // Known by name only. Random numbers are new ones in each run.
    Row(op::kAttention).inputs("fffa?f?f?l?").outputs(1, 4).since(23).by_name_only(),
    Row(op::kBitCast).inputs("a").needs("to").type(TypeRule::kUnknown).type_attribute("to").since(26).by_name_only(),
    Row(op::kCausalConvWithState).inputs("fff?f?").outputs(2, 2).since(27).by_name_only(),
    Row(op::kCumProd).inputs("ni").since(26).by_name_only(),
    Row(op::kLinearAttention).inputs("ffff?f?f?").outputs(2, 2).since(27).by_name_only(),
    Row(op::kRotaryEmbedding).inputs("fffl?").since(23).by_name_only(),
    Row(op::kSwiGlu).inputs("ff").since(28).by_name_only(),
    Row(op::kTensorScatter).inputs("aal?").since(24).by_name_only(),
    Row(op::kBernoulli).stays().type_attribute("dtype").by_name_only(),
    Row(op::kMultinomial).stays().type(TypeRule::kInt32).type_attribute("dtype").by_name_only(),
    Row(op::kQLinearConv).inputs("qfqqfqfqq?").type(TypeRule::kUnknown).by_name_only(),
    Row(op::kQLinearMatMul).inputs("qfqqfqfq").type(TypeRule::kUnknown).by_name_only(),
    Row(op::kRandomNormal).inputs("").stays().type(TypeRule::kFloat32).type_attribute("dtype").by_name_only(),
    Row(op::kRandomUniform).inputs("").stays().type(TypeRule::kFloat32).type_attribute("dtype").by_name_only(),
    Row(op::kRandomNormalLike).inputs("a").does(Effect::kReadsShape).stays().type_attribute("dtype").by_name_only(),
    Row(op::kRandomUniformLike).inputs("a").does(Effect::kReadsShape).stays().type_attribute("dtype").by_name_only(),
    Row(op::kSequenceAt).inputs("ai").type(TypeRule::kUnknown).by_name_only(),
    Row(op::kStringNormalizer).inputs("a").type(TypeRule::kUnknown).by_name_only(),
    Row(op::kTfIdfVectorizer).inputs("a").type(TypeRule::kFloat32).by_name_only(),
};

}  // namespace

std::span<const OpTraits> other_traits() { return kRows; }

}  // namespace twofold
