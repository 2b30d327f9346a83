// The attributes of a node, with ONNX's names and types.
#ifndef TWOFOLD_SRC_GRAPH_ATTRIBUTE_H_
#define TWOFOLD_SRC_GRAPH_ATTRIBUTE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

class Graph;

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, std::shared_ptr<const Graph>>;

// A map from name to attribute, which copies share until one of them changes. Getters throw Error(kInvalidModel) where
// the attribute has another type, or where one without a fallback is missing; the message names the attribute (whoever
// runs a node adds the node's name).
class Attributes {
 public:
  bool has(std::string_view name) const;
  void set(std::string name, Attribute value);
  void erase(std::string_view name);

  int64_t get_int(std::string_view name) const;
  int64_t get_int(std::string_view name, int64_t fallback) const;
  float get_float(std::string_view name, float fallback) const;
  std::string get_string(std::string_view name, std::string_view fallback) const;
  std::vector<int64_t> get_ints(std::string_view name, std::vector<int64_t> fallback) const;
  std::vector<float> get_floats(std::string_view name, std::vector<float> fallback) const;
  std::vector<std::string> get_strings(std::string_view name, std::vector<std::string> fallback) const;
  const Tensor& get_tensor(std::string_view name) const;
  std::shared_ptr<const Graph> get_graph(std::string_view name) const;

  // In the order of names.
  auto begin() const { return list().begin(); }
  auto end() const { return list().end(); }

 private:
  using List = std::vector<std::pair<std::string, Attribute>>;

  const List& list() const;
  // Where the name stands in the list, or belongs.
  List::const_iterator position(std::string_view name) const;
  // nullptr: there is none.
  const Attribute* lookup(std::string_view name) const;
  // The list, for changes.
  List& own();
  template <typename T>
  const T* find(std::string_view name) const;
  template <typename T>
  const T& require(std::string_view name) const;

  std::shared_ptr<List> list_;  // nullptr: none
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRAPH_ATTRIBUTE_H_
