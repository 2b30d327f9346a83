#include "traits/attribute_types.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "traits/op_examples.h"

namespace twofold {
namespace {

using testing::message_of;

std::string refused(const char* op_type, const char* name, Attribute value) {
  Node node{"n", op_type, "", {0}, {1}, {}, {}};
  node.attributes.set(name, std::move(value));
  return message_of([&] { check_attributes(node, traits_of(op_type)); });
}

TEST(AttributeTypes, OfAnotherType) {
  EXPECT_EQ(refused("Softmax", "axis", int64_t{1}), "nothing thrown");
  EXPECT_EQ(refused("Softmax", "axis", 1.0F), "node 'n' (Softmax): attribute 'axis' is not an integer");
  EXPECT_EQ(refused("Transpose", "perm", int64_t{0}),
            "node 'n' (Transpose): attribute 'perm' is not a list of integers");
  EXPECT_EQ(refused("Elu", "alpha", std::string("1")), "node 'n' (Elu): attribute 'alpha' is not a float");
  EXPECT_EQ(refused("Softmax", "of no operator", 1.0F), "nothing thrown");
}

TEST(AttributeTypes, ListsThatNoTensorHasDimensionsFor) {
  EXPECT_EQ(refused("Transpose", "perm", std::vector<int64_t>(64)), "nothing thrown");
  EXPECT_EQ(refused("Pad", "pads", std::vector<int64_t>(128)), "nothing thrown");
  EXPECT_EQ(refused("Transpose", "perm", std::vector<int64_t>(3000000)),
            "node 'n' (Transpose): attribute 'perm' has 3000000 numbers, more than tensors have dimensions");
  EXPECT_EQ(refused("Split", "split", std::vector<int64_t>(1000)), "nothing thrown") << "one per part";
}

TEST(AttributeTypes, ThoseWithoutADefault) {
  const Node node{"n", "Concat", "", {0}, {1}, {}, {}};
  EXPECT_EQ(message_of([&] { check_attributes(node, traits_of("Concat")); }),
            "node 'n' (Concat): attribute 'axis' is absent, but the operator needs it");
}

TEST(AttributeTypes, FitTheExamples) {
  for (const testing::OpExample& example : testing::op_examples()) {
    Node node{"n", example.op_type, "", {}, {}, {}, {}};
    for (const auto& [name, value] : example.attributes) node.attributes.set(name, value);
    EXPECT_EQ(message_of([&] { check_attributes(node, traits_of(example.op_type)); }), "nothing thrown");
  }
}

}  // namespace
}  // namespace twofold
