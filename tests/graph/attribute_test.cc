// Attributes are read with the type that they were given with, or refused by name.
#include "graph/attribute.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <memory>

#include "base/message_of.h"
#include "graph/graph.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

Attributes one_of_each_type() {
  Attributes attributes;
  attributes.set("int", std::numeric_limits<int64_t>::min());
  attributes.set("float", -0.5F);
  attributes.set("string", std::string("same"));
  attributes.set("ints", Ints{1, -2});
  attributes.set("floats", Floats{0.25F});
  attributes.set("strings", Strings{"a", ""});
  attributes.set("tensor", Tensor::scalar(int64_t{9}));
  auto graph = std::make_shared<Graph>();
  graph->name = "inner";
  attributes.set("graph", std::shared_ptr<const Graph>(graph));
  return attributes;
}

TEST(NodeAttributes, GiveWhatTheyHoldAndNotTheFallback) {
  const Attributes attributes = one_of_each_type();
  EXPECT_EQ(attributes.get_int("int"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(attributes.get_int("int", 7), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(attributes.get_float("float", 7), -0.5F);
  EXPECT_EQ(attributes.get_string("string", "other"), "same");
  EXPECT_EQ(attributes.get_ints("ints", {7}), (Ints{1, -2}));
  EXPECT_EQ(attributes.get_floats("floats", {7}), Floats{0.25F});
  EXPECT_EQ(attributes.get_strings("strings", {"other"}), (Strings{"a", ""}));
  EXPECT_EQ(attributes.get_tensor("tensor").data<int64_t>()[0], 9);
  EXPECT_EQ(attributes.get_graph("graph")->name, "inner");
}

TEST(NodeAttributes, GiveTheFallbackWhereThereIsNone) {
  const Attributes attributes;
  EXPECT_EQ(attributes.get_int("x", 7), 7);
  EXPECT_EQ(attributes.get_float("x", 7.5F), 7.5F);
  EXPECT_EQ(attributes.get_string("x", "other"), "other");
  EXPECT_EQ(attributes.get_ints("x", {7, 8}), (Ints{7, 8}));
  EXPECT_EQ(attributes.get_floats("x", {7.5F}), Floats{7.5F});
  EXPECT_EQ(attributes.get_strings("x", {"other"}), Strings{"other"});
}

TEST(NodeAttributes, NameWhatIsMissing) {
  const Attributes attributes = one_of_each_type();
  EXPECT_EQ(message_of([&] { attributes.get_int("axis"); }), "attribute 'axis' is missing");
  EXPECT_EQ(message_of([&] { attributes.get_tensor("value"); }), "attribute 'value' is missing");
  EXPECT_EQ(message_of([&] { attributes.get_graph("body"); }), "attribute 'body' is missing");
  // Names are exact.
  EXPECT_EQ(message_of([&] { attributes.get_int("Int"); }), "attribute 'Int' is missing");
}

// Every getter on every attribute: only its own type will do, and whole numbers are no floats.
TEST(NodeAttributes, RefuseAnotherType) {
  const Attributes attributes = one_of_each_type();
  const std::map<std::string, std::function<void(const std::string&)>> getters = {
      {"int", [&](const std::string& name) { attributes.get_int(name, 0); }},
      {"float", [&](const std::string& name) { attributes.get_float(name, 0); }},
      {"string", [&](const std::string& name) { attributes.get_string(name, ""); }},
      {"ints", [&](const std::string& name) { attributes.get_ints(name, {}); }},
      {"floats", [&](const std::string& name) { attributes.get_floats(name, {}); }},
      {"strings", [&](const std::string& name) { attributes.get_strings(name, {}); }},
      {"tensor", [&](const std::string& name) { attributes.get_tensor(name); }},
      {"graph", [&](const std::string& name) { attributes.get_graph(name); }},
  };
  for (const auto& [type, get] : getters) {
    for (const auto& [name, value] : attributes) {
      const std::string expected = name == type ? "nothing thrown" : "attribute '" + name + "' has the wrong type";
      EXPECT_EQ(message_of([&, &name = name, &get = get] { get(name); }), expected) << type;
    }
  }
  EXPECT_EQ(message_of([&] { attributes.get_int("float"); }), "attribute 'float' has the wrong type");
}

TEST(NodeAttributes, AreModelErrors) {
  const Attributes attributes = one_of_each_type();
  try {
    attributes.get_int("float");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
  }
}

TEST(NodeAttributes, AreReplacedAndErased) {
  Attributes attributes;
  attributes.set("axis", int64_t{1});
  attributes.set("axis", Ints{2, 3});
  EXPECT_EQ(attributes.get_ints("axis", {}), (Ints{2, 3}));
  EXPECT_TRUE(attributes.has("axis"));
  attributes.erase("axes");
  EXPECT_TRUE(attributes.has("axis"));
  attributes.erase("axis");
  EXPECT_FALSE(attributes.has("axis"));
  EXPECT_EQ(attributes.get_int("axis", 5), 5);
}

TEST(NodeAttributes, ComeInTheOrderOfTheirNames) {
  std::string names;
  for (const auto& [name, value] : one_of_each_type()) names += name + " ";
  EXPECT_EQ(names, "float floats graph int ints string strings tensor ");
}

}  // namespace
}  // namespace twofold
