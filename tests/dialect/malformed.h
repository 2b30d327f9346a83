// Nodes of the dialect with something missing or wrong, for tests of what reading them says.
#ifndef TWOFOLD_TESTS_DIALECT_MALFORMED_H_
#define TWOFOLD_TESTS_DIALECT_MALFORMED_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/message_of.h"
#include "graph/graph.h"

namespace twofold::testing {

// One change of a well-formed node, and what the message must say of it.
struct Malformation {
  std::string message;
  void (*change)(Node& node);
};

// Expects `read` to throw Error(kInvalidModel) with the message for each node.
template <typename Read>
void expect_refused(const Node& node, const std::vector<Malformation>& malformations, const Read& read) {
  for (const Malformation& malformation : malformations) {
    SCOPED_TRACE(malformation.message);
    Node changed = node;
    malformation.change(changed);
    const std::string message = message_of([&] { read(changed); });
    EXPECT_NE(message.find(malformation.message), std::string::npos) << message;
  }
}

// Expects `read` to throw an Error, and to do nothing worse, where an attribute has another type or a list is empty.
template <typename Read>
void expect_every_attribute_checked(const Node& node, const Read& read) {
  for (const auto& [name, value] : node.attributes) {
    SCOPED_TRACE(name);
    Node changed = node;
    changed.attributes.set(name, std::string("text"));
    EXPECT_NE(message_of([&] { read(changed); }).find(name), std::string::npos);
    if (std::holds_alternative<std::vector<int64_t>>(value)) {
      changed.attributes.set(name, std::vector<int64_t>());
    } else if (std::holds_alternative<std::vector<float>>(value)) {
      changed.attributes.set(name, std::vector<float>());
    } else {
      continue;
    }
    EXPECT_NE(message_of([&] { read(changed); }), "nothing thrown");
  }
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_DIALECT_MALFORMED_H_
