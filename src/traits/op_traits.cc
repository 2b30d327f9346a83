#include "traits/op_traits.h"

#include <unordered_map>

namespace twofold {

namespace {

std::vector<std::span<const OpTraits>> families() {
  return {elementwise_traits(), row_traits(), movement_traits(), other_traits()};
}

constexpr OpTraits kUnknownOp = {.op_type = "", .takes = 0, .type = TypeRule::kUnknown, .runs = false};

}  // namespace

const OpTraits* find_traits(std::string_view op_type) {
  static const auto table = [] {
    std::unordered_map<std::string_view, const OpTraits*> built;
    for (const std::span<const OpTraits> family : families()) {
      for (const OpTraits& row : family) built.emplace(row.op_type, &row);
    }
    return built;
  }();
  const auto it = table.find(op_type);
  return it == table.end() ? nullptr : it->second;
}

const OpTraits& traits_of(std::string_view op_type) {
  const OpTraits* row = find_traits(op_type);
  return row == nullptr ? kUnknownOp : *row;
}

const OpTraits& traits_of(const Node& node) { return node.domain.empty() ? traits_of(node.op_type) : kUnknownOp; }

std::vector<OpTraits> all_traits() {
  std::vector<OpTraits> rows;
  for (const std::span<const OpTraits> family : families()) rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

bool moves_numbers(Effect effect) {
  switch (effect) {
    case Effect::kMoves:
    case Effect::kTakesPart:
    case Effect::kPicksLargest:
    case Effect::kClamps: return true;
    default: return false;
  }
}

bool moves_data(const OpTraits& traits) { return traits.data != DataInputs::kNone && moves_numbers(traits.effect); }

bool moves_integers(const OpTraits& traits) {
  return moves_data(traits) && traits.effect != Effect::kClamps && (traits.takes & kTakesInt8) != 0;
}

std::vector<int> data_inputs(const Node& node) {
  std::vector<int> indices;
  const auto add = [&](int i) {
    if (node.input(i) != kNone) indices.push_back(i);
  };
  switch (traits_of(node).data) {
    case DataInputs::kNone: break;
    case DataInputs::kFirst: add(0); break;
    case DataInputs::kFirstTwo: add(0), add(1); break;
    case DataInputs::kFirstThree: add(0), add(1), add(2); break;
    case DataInputs::kSecondAndThird: add(1), add(2); break;
    case DataInputs::kFirstAndThird: add(0), add(2); break;
    case DataInputs::kAll:
      for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) add(i);
      break;
  }
  return indices;
}

int num_data_outputs(const Node& node) {
  if (traits_of(node).all_outputs) return static_cast<int>(node.outputs.size());
  return node.outputs.empty() ? 0 : 1;
}

bool takes_ec(std::string_view op_type, int input) {
  return input >= 0 && input < 8 && (traits_of(op_type).ec >> input & 1) != 0;
}

}  // namespace twofold
