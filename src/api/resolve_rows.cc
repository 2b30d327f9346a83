#include "api/read_config.h"
#include "dialect/registry.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "plan/graph_rows.h"
#include "plan/plan_json.h"

namespace twofold {

std::string resolve_rows(const GraphRows& rows, const ResolveRequest& request) {
  const ResolveOptions options{.strict = request.strict,
                               .compiler_version = request.compiler_version,
                               .input_file_nodes = request.input_file_nodes};
  const QuantConfig config = read_config(request.config);
  return plan_to_json(resolve_graph_rows(rows, config, load_target(target_name(request.target, config)), options));
}

GraphRows simplified_rows(const std::filesystem::path& model) {
  Graph graph = import_onnx(model);
  check_operators(graph);
  run_passes(graph);
  return rows_from_graph(graph);
}

}  // namespace twofold
