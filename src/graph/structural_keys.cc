#include "graph/structural_keys.h"

#include <bit>
#include <span>

#include "base/check.h"

namespace twofold {

namespace {

// Smaller constants (scales, zero points) are hashed faster than they are looked up.
constexpr size_t kRemembered = 512;

template <typename T>
void add_numbers(const std::vector<T>& numbers, ContentHasher& hasher) {
  hasher.add(std::as_bytes(std::span(numbers)));
}

void add_form(const Tensor& tensor, ContentHasher& hasher) {
  hasher.add(static_cast<uint64_t>(tensor.dtype()) << 8 | static_cast<uint64_t>(tensor.layout()));
  add_numbers(tensor.shape(), hasher);
}

ContentHash of_content(const Tensor& tensor) {
  ContentHasher hasher;
  add_form(tensor, hasher);
  // A constant of which only type and shape are known has no bytes.
  if (tensor.bytes() != nullptr) hasher.add(std::span(tensor.bytes(), tensor.byte_size()));
  return hasher.result();
}

// The declared type of a body's output: what a loop without iterations gives depends on it.
void add_type(const TensorType& type, ContentHasher& hasher) {
  hasher.add(static_cast<uint64_t>(type.dtype));
  hasher.add(type.shape ? type.shape->size() + 1 : 0);
  if (!type.shape) return;
  for (const Dim& dim : *type.shape) hasher.add(static_cast<uint64_t>(dim.value));
}

// What stands for an input that is not there, and for one that a kernel sees at run time only.
constexpr ContentHash kOmitted = {0, 1};
constexpr ContentHash kComputed = {0, 2};

}  // namespace

std::vector<ContentHash> StructuralKeys::of(const Graph& graph) {
  ++graphs_;
  in_part_ = false;
  std::vector<ContentHash> keys = compute(graph);
  // What the graph does not have any more is forgotten, but for what the one before had: a trial and its base share.
  std::erase_if(known_, [this](const auto& entry) { return entry.second.seen + 1 < graphs_; });
  return keys;
}

std::vector<ContentHash> StructuralKeys::of_part(const Graph& graph, const std::vector<ContentHash>& inputs) {
  TWOFOLD_CHECK(inputs.size() == graph.inputs.size());
  ++parts_;
  in_part_ = true;
  std::vector<ContentHash> keys = compute(graph, inputs);
  std::erase_if(known_of_parts_, [this](const auto& entry) { return entry.second.seen + 1 < parts_; });
  return keys;
}

std::vector<ContentHash> StructuralKeys::compute(const Graph& graph) {
  std::vector<ContentHash> inputs;
  for (size_t i = 0; i < graph.inputs.size(); ++i) inputs.push_back(of_input(i));
  return compute(graph, inputs);
}

std::vector<ContentHash> StructuralKeys::compute(const Graph& graph, const std::vector<ContentHash>& inputs) {
  std::vector<ContentHash> keys(static_cast<size_t>(graph.num_values()));
  const auto at = [&keys](ValueId id) -> ContentHash& { return keys[static_cast<size_t>(id)]; };
  for (size_t i = 0; i < graph.inputs.size(); ++i) at(graph.inputs[i]) = inputs[i];
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* constant = graph.constant(id)) at(id) = of_constant(*constant);
  }
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    ContentHasher hasher;
    add_operator(node, hasher);
    for (ValueId input : node.inputs) hasher.add(input == kNone ? kOmitted : at(input));
    const ContentHash of_node = hasher.result();
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNone) continue;
      ContentHasher output;
      output.add(of_node);
      output.add(i);
      at(node.outputs[i]) = output.result();
    }
  }
  return keys;
}

ContentHash StructuralKeys::of_operator(const Graph& graph, const Node& node, const std::vector<ContentHash>& keys) {
  ContentHasher hasher;
  add_operator(node, hasher);
  for (ValueId input : node.inputs) {
    const bool constant = graph.constant(input) != nullptr;
    hasher.add(constant ? keys[static_cast<size_t>(input)] : input == kNone ? kOmitted : kComputed);
  }
  return hasher.result();
}

ContentHash StructuralKeys::of_constant(const Tensor& tensor) {
  if (tensor.byte_size() < kRemembered) return of_content(tensor);
  const Address address = {tensor.bytes(), tensor.dtype(), tensor.shape()};
  if (const auto it = known_.find(address); in_part_ && it != known_.end()) return it->second.key;
  KnownConstant& known = (in_part_ ? known_of_parts_ : known_)[address];
  if (!known.tensor.defined()) known = {tensor, of_content(tensor), 0};
  known.seen = in_part_ ? parts_ : graphs_;
  return known.key;
}

// The operator, its attributes, and which outputs are wanted.
void StructuralKeys::add_operator(const Node& node, ContentHasher& hasher) {
  hasher.add(node.domain);
  hasher.add(node.op_type);
  for (const auto& [name, attribute] : node.attributes) {
    hasher.add(name);
    add_attribute(attribute, hasher);
  }
  hasher.add(node.outputs.size());
  for (ValueId output : node.outputs) hasher.add(output == kNone ? 0 : 1);
}

void StructuralKeys::add_attribute(const Attribute& attribute, ContentHasher& hasher) {
  hasher.add(attribute.index());
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, int64_t>) {
          hasher.add(static_cast<uint64_t>(value));
        } else if constexpr (std::is_same_v<T, float>) {
          hasher.add(uint64_t{std::bit_cast<uint32_t>(value)});
        } else if constexpr (std::is_same_v<T, std::string>) {
          hasher.add(value);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          hasher.add(value.size());
          for (const std::string& text : value) hasher.add(text);
        } else if constexpr (std::is_same_v<T, Tensor>) {
          hasher.add(of_constant(value));
        } else if constexpr (std::is_same_v<T, std::shared_ptr<const Graph>>) {
          const std::vector<ContentHash> keys = compute(*value);
          hasher.add(value->inputs.size());
          hasher.add(static_cast<uint64_t>(value->num_captures));
          for (const GraphOutput& output : value->outputs) {
            hasher.add(keys[static_cast<size_t>(output.value)]);
            add_type(value->value(output.value).type, hasher);
          }
        } else {
          add_numbers(value, hasher);
        }
      },
      attribute);
}

}  // namespace twofold
