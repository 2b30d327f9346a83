#include "debug/operand_sensitivity.h"

#include <numeric>

#include "base/error.h"
#include "debug/results_file.h"
#include "debug/units.h"
#include "plan/fingerprint.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

// Over all outputs.
double noise_of(const Sensitivity& sensitivity) {
  std::vector<size_t> outputs(sensitivity.values().front().size());
  std::iota(outputs.begin(), outputs.end(), size_t{0});
  return sensitivity.noise(outputs);
}

}  // namespace

std::map<std::pair<std::string, OperandRef>, double> operand_sensitivity(const Graph& graph,
                                                                         const std::filesystem::path& file) {
  const ResultsFile::Results results = ResultsFile::read(file, {{"model", content_hash(graph)}});
  std::map<std::pair<std::string, OperandRef>, double> found;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!is_gemm_type(node)) continue;
    for (int i = 0; i < 2; ++i) {
      const ValueId value = node.input(i);
      if (value == kNone) continue;
      const UnitKind kind = graph.constant(value) != nullptr ? UnitKind::kWeight : UnitKind::kActivation;
      const auto it = results.find(unit_key(kind, graph.value(value).name));
      if (it != results.end()) found[{node.name, OperandRef::input(i)}] = noise_of(it->second);
    }
  }
  if (found.empty()) {
    throw_error(
        ErrorCode::kInvalidArgument,
        "{}: nothing in it is about an input of a product; measure weights and activations (node_type weight, then "
        "activation with resume)",
        file.string());
  }
  return found;
}

}  // namespace twofold
