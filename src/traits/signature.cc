#include "traits/signature.h"

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace twofold {

namespace {

// What a pattern says of one input.
struct Operand {
  char type = 'a';
  bool required = true;
  bool exists = true;  // false: behind the last one
};

// Walks along a pattern, input by input; it stays at one that repeats.
class Pattern {
 public:
  explicit Pattern(std::string_view text) : rest_(text) {}

  Operand next() {
    if (rest_.empty()) return {.required = false, .exists = false};
    const char kind = mark(0);
    const Operand operand{rest_[0], kind != '?' && kind != '~', true};
    met_ = kind == '+';
    if (kind == ' ' || kind == '?') rest_.remove_prefix(kind == '?' ? 2 : 1);
    return operand;
  }

  // Whether nothing must follow.
  bool may_end() const {
    for (size_t i = 0; i < rest_.size(); i += 2) {
      if (mark(i) == ' ' || (mark(i) == '+' && !met_)) return false;
    }
    return true;
  }

 private:
  // Behind the letter at `i`; a blank if there is none.
  char mark(size_t i) const {
    constexpr std::string_view kMarks = "?+*~";
    return i + 1 < rest_.size() && kMarks.find(rest_[i + 1]) != std::string_view::npos ? rest_[i + 1] : ' ';
  }

  std::string_view rest_;
  bool met_ = false;  // there was one of those that are at least one
};

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

bool takes(char type, DType dtype) {
  switch (type) {
    case 'f': return is_float(dtype);
    case 'i': return dtype == DType::kInt32 || dtype == DType::kInt64;
    case 'l': return dtype == DType::kInt64;
    case 'b': return dtype == DType::kBool;
    case 'q': return !is_float(dtype) && dtype != DType::kBool && byte_size(dtype) <= 4;
    case 'n': return dtype != DType::kBool;
    default: return true;
  }
}

std::string_view types_of(char type) {
  switch (type) {
    case 'f': return "floats";
    case 'i': return "int32 or int64";
    case 'l': return "int64";
    case 'b': return "bool";
    case 'q': return "integers of 8, 16 or 32 bits";
    default: return "numbers";
  }
}

template <typename... Args>
[[noreturn]] void refuse(const Node& node, fmt::format_string<Args...> format, Args&&... args) {
  throw_error(ErrorCode::kInvalidModel, "node '{}' ({}): {}", node.name, node.op_type,
              fmt::format(format, std::forward<Args>(args)...));
}

void check_type(const Graph& graph, const Node& node, size_t i, char type) {
  const ValueId id = node.inputs[i];
  const DType dtype = graph.value(id).type.dtype;
  if (dtype == DType::kUndefined || takes(type, dtype)) return;
  // What a file declares of a tensor that a node computes may be wrong.
  if (graph.constant(id) == nullptr && !graph.is_input(id)) return;
  refuse(node, "input {} ('{}') is {}, but the operator takes {} there", i, graph.value(id).name, to_string(dtype),
         types_of(type));
}

}  // namespace

Signature signature_of(const OpTraits& traits) { return {traits.inputs, traits.min_outputs, traits.max_outputs}; }

void check_operands(const Node& node, const Signature& signature, size_t captured) {
  Pattern pattern(signature.inputs);
  const size_t count = node.inputs.size() - captured;
  for (size_t i = 0; i < count; ++i) {
    const Operand operand = pattern.next();
    if (!operand.exists) {
      refuse(node, "there are {} inputs, but the operator has {} at most", count, i);
    }
    if (operand.required && node.inputs[i] == kNone) {
      refuse(node, "input {} is absent, but the operator needs it", i);
    }
  }
  if (!pattern.may_end()) refuse(node, "input {} is absent, but the operator needs it", count);
  auto outputs = static_cast<int>(node.outputs.size());
  while (outputs > 0 && node.output(outputs - 1) == kNone) --outputs;
  if (outputs > signature.max_outputs) {
    refuse(node, "there are {} outputs, but the operator has {} at most", outputs, signature.max_outputs);
  }
  for (int i = 0; i < signature.min_outputs; ++i) {
    if (node.output(i) == kNone) refuse(node, "output {} has no name", i);
  }
}

void check_types(const Graph& graph, const Node& node, const Signature& signature) {
  Pattern pattern(signature.inputs);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Operand operand = pattern.next();
    if (operand.exists && node.inputs[i] != kNone) check_type(graph, node, i, operand.type);
  }
}

namespace {

size_t num_captured(const Node& node) {
  size_t count = 0;
  for (const auto& [name, attribute] : node.attributes) {
    const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
    if (body != nullptr) count = std::max(count, static_cast<size_t>((*body)->num_captures));
  }
  return std::min(count, node.inputs.size());
}

}  // namespace

void check_operands(const Graph& graph) {
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (!graph.has_node(id) || !graph.node(id).domain.empty()) continue;
    const Node& node = graph.node(id);
    if (const OpTraits* row = find_traits(node.op_type)) check_operands(node, signature_of(*row), num_captured(node));
  }
}

}  // namespace twofold
