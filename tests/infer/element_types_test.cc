#include "infer/element_types.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "infer/infer_types.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

int64_t number_of(DType dtype) { return static_cast<int64_t>(dtype); }

// The type that a node of the operator gives, of which the inputs are of these types.
DType type_of(const std::string& op, const std::vector<DType>& inputs,
              const std::vector<std::pair<std::string, Attribute>>& attributes = {}) {
  GraphBuilder b;
  std::vector<ValueId> values;
  for (size_t i = 0; i < inputs.size(); ++i) values.push_back(b.input(fmt::format("x{}", i), {2}, inputs[i]));
  const ValueId y = b.node("y", op, values, attributes);
  return infer_element_types(b.graph, Declarations::kInputs)[static_cast<size_t>(y)];
}

constexpr DType kF32 = DType::kFloat32, kF16 = DType::kFloat16, kI64 = DType::kInt64, kUnknown = DType::kUndefined;

TEST(ElementTypes, FollowTheRulesOfTheOperators) {
  EXPECT_EQ(type_of("Relu", {kF16}), kF16);
  EXPECT_EQ(type_of("CastLike", {kF32, kI64}), kI64) << "not that of its data";
  EXPECT_EQ(type_of("CastLike", {kI64, kF32}), kF32);
  EXPECT_EQ(type_of("Where", {DType::kBool, kF16, kF16}), kF16);
  EXPECT_EQ(type_of("OneHot", {kI64, kI64, kF32}), kF32);
  EXPECT_EQ(type_of("Equal", {kF32, kF32}), DType::kBool);
  EXPECT_EQ(type_of("Shape", {kF32}), kI64);
  EXPECT_EQ(type_of("Multinomial", {kF32}), DType::kInt32) << "samples are indices";
  EXPECT_EQ(type_of("If", {DType::kBool}), kUnknown);
  EXPECT_EQ(type_of("Unheard", {kF32}), kUnknown);
}

TEST(ElementTypes, FollowAttributesThatNameATypeOrHoldATensor) {
  EXPECT_EQ(type_of("Cast", {kF32}, {{"to", number_of(kI64)}}), kI64);
  EXPECT_EQ(type_of("Cast", {kF32}), kUnknown);
  EXPECT_EQ(type_of("Cast", {kF32}, {{"to", int64_t{8}}}), kUnknown) << "a string";
  EXPECT_EQ(type_of("Cast", {kF32}, {{"to", std::string("float")}}), kUnknown) << "malformed";
  EXPECT_EQ(type_of("ConstantOfShape", {kI64}), kF32);
  EXPECT_EQ(type_of("ConstantOfShape", {kI64}, {{"value", Tensor::scalar(int64_t{1})}}), kI64);
  EXPECT_EQ(type_of("EyeLike", {kF16}), kF16);
  EXPECT_EQ(type_of("EyeLike", {kF16}, {{"dtype", number_of(kI64)}}), kI64);
  EXPECT_EQ(type_of("RandomNormalLike", {kF16}, {{"dtype", number_of(kF32)}}), kF32);
  EXPECT_EQ(type_of("DequantizeLinear", {DType::kInt8, kF16}, {{"output_dtype", int64_t{0}}}), kF16);
}

TEST(ElementTypes, OtherOutputsHaveTypesOfTheirOwn) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 4, 4});
  const auto second = [&](const std::string& op) {
    const ValueId first = b.graph.add_value(op + "_0"), other = b.graph.add_value(op + "_1");
    b.graph.add_node({op, op, "", {x}, {first, other}, {}, {}});
    return other;
  };
  const ValueId indices = second("MaxPool"), mask = second("Dropout"), half = second("Split");
  const std::vector<DType> types = infer_element_types(b.graph, Declarations::kInputs);
  EXPECT_EQ(types[static_cast<size_t>(indices)], kI64);
  EXPECT_EQ(types[static_cast<size_t>(mask)], DType::kBool);
  EXPECT_EQ(types[static_cast<size_t>(half)], kF32);
}

TEST(ElementTypes, DeclarationsOfInnerTensorsAreBelievedWhereAsked) {
  GraphBuilder b;
  const ValueId given = b.node("given", "If", {b.input("condition", {}, DType::kBool)});
  const ValueId result = b.node("result", "Relu", {given});
  b.graph.set_type(given, {kF32, std::nullopt});
  const auto type = [&](Declarations believed) {
    return infer_element_types(b.graph, believed)[static_cast<size_t>(result)];
  };
  EXPECT_EQ(type(Declarations::kAll), kF32);
  EXPECT_EQ(type(Declarations::kInputs), kUnknown);
  EXPECT_EQ(infer_types(b.graph)[static_cast<size_t>(result)].dtype, kUnknown) << "what rewrites build on";
}

TEST(InferTypes, AMalformedAttributeLeavesTheTypeButNoShape) {
  GraphBuilder b;
  const ValueId y = b.node("y", "Transpose", {b.input("x", {2, 3})}, {{"perm", std::string("10")}});
  const InferredType type = infer_types(b.graph)[static_cast<size_t>(y)];
  EXPECT_EQ(type.dtype, kF32);
  EXPECT_EQ(type.rank(), -1);
}

}  // namespace
}  // namespace twofold
